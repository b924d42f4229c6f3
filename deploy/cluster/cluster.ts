import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signToken } from '../../src/tokens.js'
import { startRedis } from '../../test/helpers/redis.js'
import { removeFolder } from '../../test/helpers/remove-folder.js'
import type { Scope } from '../../test/helpers/scope.js'
import { MESSENGER, startBrokerNodes } from './broker-nodes.js'
import { startNginx } from './nginx.js'
import { recordNode, type Publication } from './recorder.js'
import { freePort } from '../../test/helpers/ports.js'
import { createReplica } from './replicas.js'

const REPLICAS = 3
const SECRET = 'a secret of the cluster, of more than 32 bytes'

/** Longer than any run, in seconds. */
const TOKEN_LIFE_S = 24 * 3600

export type Cluster = Awaited<ReturnType<typeof startCluster>>

/** nginx -> three replicas, with one Redis -> recorders -> three RabbitMQ nodes; stopped with the scope. */
export async function startCluster (scope: Scope, say: (line: string) => void) {
  const dir = mkdtempSync(join(tmpdir(), 'messenger-cluster-'))
  scope.teardown(() => removeFolder(dir))
  say(`state in ${dir}`)
  const redis = await startRedis(scope, { port: await freePort(), settings: { appendfsync: 'everysec' } })
  say('starting three RabbitMQ nodes, one after the other')
  const brokers = await startBrokerNodes(scope, dir)
  const publications: Publication[] = []
  const urls: string[] = []
  for (const { port } of brokers) urls.push(await recordNode(scope, port, publications))
  const replicas = []
  for (let index = 0; index < REPLICAS; index += 1) {
    replicas.push(await createReplica(scope, {
      JWT_SECRET: SECRET,
      REDIS_URL: redis.url,
      // Each begins with another node; all of them know all.
      MQTT_URL: [...urls.slice(index), ...urls.slice(0, index)].join(','),
      MQTT_PROTOCOL: '3.1.1',
      MQTT_PAYLOAD: 'json',
      MQTT_USERNAME: MESSENGER.username,
      MQTT_PASSWORD: MESSENGER.password,
      LOG_LEVEL: 'warn'
    }))
  }
  for (const { ready } of replicas) await ready()
  const nginx = await startNginx(scope, dir, replicas.map(({ port }) => port))
  const token = await signToken({ secret: SECRET, expiresInS: TOKEN_LIFE_S, claims: { sub: 'cluster' } })
  return { dir, redis, brokers, replicas, nginx, token, publications }
}
