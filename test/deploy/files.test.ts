import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import t, { type Test } from 'tap'
import { parseAllDocuments } from 'yaml'
import { loadConfig } from '../../src/config/config.js'
import { Env } from '../../src/config/env.js'
import { startApp } from '../helpers/app.js'
import { createCertificates, skipWithoutOpenssl } from '../helpers/certificates.js'
import { CERTIFICATE, CERTIFICATE_KEY } from '../helpers/keys.js'
import { listen } from '../helpers/raw-http.js'

type Environment = Readonly<Record<string, string>>

/** What the files leave to who runs them. */
const SECRETS = { JWT_SECRET: 'a secret of the tests, of more than 32 bytes', MQTT_PASSWORD: 'of the messenger', REDIS_PASSWORD: 'of Redis' }
const SECRETS_OF_KUBERNETES = { JWT_SECRET: SECRETS.JWT_SECRET, MQTT_PASSWORD: SECRETS.MQTT_PASSWORD, REDIS_URL: 'redis://redis' }

/** A YAML file with aliases and merges followed. @throws where it is none */
function readYaml<T> (path: string): T {
  const [document, ...others] = parseAllDocuments(readFileSync(path, 'utf8'), { merge: true })
  if (document === undefined || others.length > 0) throw new Error(`${path} is not one document`)
  const [fault] = [...document.errors, ...document.warnings]
  if (fault !== undefined) throw new Error(`${path}: ${fault.message}`)
  return document.toJS() as T
}

/** What an environment file of compose makes of `${NAME:?message}` and `${NAME:-default}`. */
function interpolate (text: string, values: Environment): string {
  return text.replace(/\$\{(\w+):([?-])([^}]*)\}/g, (_, name: string, kind: string, rest: string) => {
    const value = values[name] ?? ''
    if (value === '' && kind === '?') throw new Error(`${name} is not set: ${rest}`)
    return value === '' ? rest : value
  })
}

/** A file of TLS, by its name: authorities, or a certificate and its key. */
function readTls (path: string): string {
  if (path.endsWith('.key')) return CERTIFICATE_KEY
  return path.endsWith('/tls.crt') ? CERTIFICATE : rootCertificates.join('\n')
}

/** That a production messenger starts with these variables, that it reads all of them, and that it ends before it is killed. */
function checkEnvironment (t: Test, environment: Environment, killedAfterS: number): void {
  t.strictSame(Object.keys(environment).filter(name => !(name in Env.properties)), [], 'only variables that the messenger reads')
  const { shutdownTimeoutMs } = loadConfig({ NODE_ENV: 'production', ...environment }, readTls)
  t.ok(shutdownTimeoutMs < killedAfterS * 1_000, `${shutdownTimeoutMs} ms to stop, killed after ${killedAfterS} s`)
}

/** Runs the HEALTHCHECK of the image. @returns its exit status */
async function checkHealth (environment: Environment): Promise<unknown> {
  const [, command = ''] = /HEALTHCHECK .*\n +CMD (.+)/.exec(readFileSync('Dockerfile', 'utf8')) ?? []
  const [, ...args]: readonly string[] = JSON.parse(command)
  const [status] = await once(spawn(process.execPath, args, { env: { ...environment }, stdio: 'inherit' }), 'exit')
  return status
}

t.test('the image is healthy where the messenger serves HTTP or HTTPS, whatever its broker does, and not where nobody does', { skip: skipWithoutOpenssl }, async t => {
  const { path } = createCertificates(t)
  for (const tls of [{}, { TLS_CERT_FILE: path('server.crt'), TLS_KEY_FILE: path('server.key') }]) {
    const app = await startApp(t, { MQTT_URL: 'mqtt://127.0.0.1:1', ...tls })
    const environment = { PORT: String(await listen(t, app)), ...tls }
    t.equal(await checkHealth(environment), 0)
    await app.close()
    t.equal(await checkHealth(environment), 1)
  }
})

t.test('the image is made of files that there are, and runs what is built', async t => {
  const lines = readFileSync('Dockerfile', 'utf8').split('\n')
  const allowed = readFileSync('.dockerignore', 'utf8').split('\n').filter(line => line.startsWith('!')).map(line => line.slice(1))
  const copied = lines.flatMap(line => /^COPY (?!--from)(.+) \S+$/.exec(line)?.[1]?.split(' ') ?? [])
  for (const source of copied) {
    t.ok(existsSync(source), source)
    t.ok(allowed.includes(source), `${source} is sent to the builder`)
  }
  t.strictSame(allowed.filter(name => !copied.includes(name)), [], 'nothing else is')

  const command = lines.find(line => line.startsWith('CMD ')) ?? ''
  t.strictSame(JSON.parse(command.slice('CMD '.length)), ['node', 'dist/server.js'])
  t.equal(JSON.parse(readFileSync('package.json', 'utf8')).scripts.start, 'node dist/server.js')
  t.ok(existsSync('src/server.ts'))

  const environment = Object.fromEntries((/^ENV (.*)$/m.exec(lines.join('\n'))?.[1] ?? '').split(' ').map(pair => pair.split('=')))
  t.strictSame(environment, { NODE_ENV: 'production', HOST: '0.0.0.0', PORT: '80' })
})

t.test('the services of compose.yaml start, depend on each other and mount files that there are', async t => {
  const { services, networks, volumes } = readYaml<{
    services: Record<string, {
      image?: string, build?: string, environment?: Environment, stop_grace_period?: string, depends_on?: object, volumes?: string[], networks: object
    }>
    networks: object
    volumes: object
  }>('compose.yaml')
  for (const name of ['messenger-1', 'messenger-2']) {
    const { build, environment = {}, stop_grace_period: grace = '' } = services[name] ?? {}
    t.equal(build, '.', name)
    const filled = Object.fromEntries(Object.entries(environment).map(([key, text]) => [key, interpolate(text, SECRETS)]))
    checkEnvironment(t, { HOST: '0.0.0.0', PORT: '80', ...filled }, Number(/^(\d+)s$/.exec(grace)?.[1]))
  }
  for (const [name, service] of Object.entries(services)) {
    const needed = service.depends_on ?? []
    for (const other of Array.isArray(needed) ? needed : Object.keys(needed)) t.ok(other in services, `${name} needs ${other}`)
    for (const network of Array.isArray(service.networks) ? service.networks : Object.keys(service.networks)) t.ok(network in networks, `${name} is in ${network}`)
    for (const source of (service.volumes ?? []).map(text => text.split(':')[0] ?? '')) {
      // Secrets are made by who runs it: docs/operations.md.
      if (source.startsWith('./secrets/')) t.ok(readFileSync('docs/operations.md', 'utf8').includes(source.slice('./'.length)), source)
      else t.ok(source.startsWith('./') ? existsSync(source) : source in volumes, `${name} has ${source}`)
    }
  }
})

t.test('the unit of systemd runs what is built, with variables that the messenger reads', async t => {
  const unit = readFileSync('deploy/systemd/messenger.service', 'utf8')
  const all = (key: string) => unit.split('\n').filter(line => line.startsWith(`${key}=`)).map(line => line.slice(key.length + 1))
  t.strictSame(all('ExecStart'), ['/usr/bin/node dist/server.js'])
  const environment = Object.fromEntries(all('Environment').map(pair => pair.split('=')))
  t.equal(environment.NODE_ENV, 'production')
  checkEnvironment(t, { MQTT_URL: 'mqtt://127.0.0.1', JWT_SECRET: SECRETS.JWT_SECRET, ...environment }, Number(all('TimeoutStopSec')[0]))
})

t.test('the objects of Kubernetes belong together, and probe routes that there are', async t => {
  const objects = Object.fromEntries(readdirSync('deploy/kubernetes').map(file => {
    const object = readYaml<{ kind: string, spec: unknown }>(`deploy/kubernetes/${file}`)
    return [object.kind, object.spec]
  })) as {
    Deployment: { selector: { matchLabels: Environment }, template: { metadata: { labels: Environment, annotations: Environment }, spec: Pod } }
    Service: { selector: Environment, ports: Array<{ targetPort: string }> }
    PodDisruptionBudget: { selector: { matchLabels: Environment } }
  }
  interface Probe { httpGet: { path: string, port: string } }
  interface Pod {
    terminationGracePeriodSeconds: number
    volumes: Array<{ name: string }>
    containers: Array<{
      ports: Array<{ name: string, containerPort: number }>
      env: Array<{ name: string, value: string }>
      livenessProbe: Probe
      startupProbe: Probe
      readinessProbe: Probe
      volumeMounts: Array<{ name: string, mountPath: string }>
    }>
  }
  const { selector, template } = objects.Deployment
  for (const labels of [selector.matchLabels, objects.Service.selector, objects.PodDisruptionBudget.selector.matchLabels]) {
    t.strictSame(labels, template.metadata.labels)
  }
  const [container] = template.spec.containers
  if (container === undefined) throw new Error('there is no container')
  const environment = Object.fromEntries(container.env.map(({ name, value }) => [name, value]))
  checkEnvironment(t, { HOST: '0.0.0.0', ...SECRETS_OF_KUBERNETES, ...environment }, template.spec.terminationGracePeriodSeconds)
  const ports = Object.fromEntries(container.ports.map(({ name, containerPort }) => [name, String(containerPort)]))
  t.strictSame([ports.http, ports.metrics, template.metadata.annotations['prometheus.io/port']], [environment.PORT, environment.METRICS_PORT, environment.METRICS_PORT])
  t.strictSame(objects.Service.ports.map(({ targetPort }) => targetPort), ['http'], 'not the metrics')
  for (const { name, mountPath } of container.volumeMounts) {
    t.ok(template.spec.volumes.some(volume => volume.name === name), name)
    for (const file of ['MQTT_CA_FILE', 'MQTT_CERT_FILE', 'MQTT_KEY_FILE']) t.ok(environment[file]?.startsWith(`${mountPath}/`), file)
  }

  const app = await startApp(t, { MQTT_URL: 'mqtt://127.0.0.1:1' })
  for (const { httpGet } of [container.livenessProbe, container.startupProbe, container.readinessProbe]) {
    t.ok(httpGet.port in ports)
    t.ok(app.hasRoute({ method: 'GET', url: httpGet.path }), httpGet.path)
  }
})
