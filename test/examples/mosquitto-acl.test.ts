import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MqttClient } from 'mqtt'
import t, { type Test } from 'tap'
import { commandTopic, REPLY_PREFIX } from '../helpers/caller.js'
import { createCertificates, skipWithoutOpenssl } from '../helpers/certificates.js'
import { skipWithoutMosquitto, startMosquitto } from '../helpers/mosquitto.js'
import { freePort } from '../helpers/ports.js'
import { createFolder } from '../helpers/program.js'
import { subscribe } from '../helpers/subscriber.js'
import { skipWithout } from '../helpers/shell.js'
import { until } from '../helpers/until.js'

const skip = skipWithoutMosquitto || skipWithout('mosquitto_passwd')
const PASSWORD = 'of the test'
const USERS = ['messenger', 'gate-1', 'gate-2']

/** The password file of everybody. */
function createPasswords (t: Test): string {
  const passwords = join(createFolder(t), 'passwords')
  USERS.forEach((user, index) => {
    execFileSync('mosquitto_passwd', [...index === 0 ? ['-c'] : [], '-b', passwords, user, PASSWORD])
  })
  return readFileSync(passwords, 'utf8')
}

/** A Mosquitto with the sample, and everybody in it. */
async function startSecured (t: Test, listener: readonly string[] = []) {
  return await startMosquitto(t, {
    listener,
    config: ['allow_anonymous false', 'password_file {dir}/passwords', 'acl_file {dir}/acl_file'],
    files: { passwords: createPasswords(t), acl_file: readFileSync('deploy/mosquitto/acl_file', 'utf8') }
  })
}

const as = (username: string) => ({ username, password: PASSWORD })

/** Publishes, and says whether the broker, which tells MQTT 5 clients, took it. */
async function publish (client: MqttClient, topic: string, payload: string): Promise<string> {
  try {
    await client.publishAsync(topic, payload, { qos: 1 })
    return 'taken'
  } catch (error) {
    return (error as Error).message
  }
}

const received = ({ received }: Awaited<ReturnType<typeof subscribe>>) => received.map(({ topic, payload }) => `${topic} ${payload.toString()}`)

t.test('lets the messenger send commands and read answers, and a device read and answer its own', { skip }, async t => {
  const { url } = await startSecured(t)
  const messenger = await subscribe(t, url, `${REPLY_PREFIX}/+`, as('messenger'))
  const device = await subscribe(t, url, commandTopic('gate-1'), as('gate-1'))
  const other = await subscribe(t, url, commandTopic('gate-2'), as('gate-2'))
  t.equal(await publish(messenger.client, commandTopic('gate-1'), 'open'), 'taken')
  await device.count(1)
  t.equal(await publish(device.client, `${REPLY_PREFIX}/gate-1`, 'done'), 'taken')
  await messenger.count(1)
  t.strictSame(received(messenger), [`${REPLY_PREFIX}/gate-1 done`])
  t.strictSame([received(device), received(other)], [[`${commandTopic('gate-1')} open`], []])
})

for (const filter of [commandTopic('gate-1'), commandTopic('+'), '#', `${REPLY_PREFIX}/gate-1`]) {
  t.test(`keeps from a device that subscribes to ${filter} what is another's`, { skip }, async t => {
    const { url } = await startSecured(t)
    const messenger = await subscribe(t, url, `${REPLY_PREFIX}/+`, as('messenger'))
    const victim = await subscribe(t, url, commandTopic('gate-1'), as('gate-1'))
    // 2.0.11 grants the subscription: what counts is what arrives.
    const thief = await subscribe(t, url, filter, as('gate-2'))
    await thief.client.subscribeAsync(commandTopic('gate-2'), { qos: 1 })
    await publish(messenger.client, commandTopic('gate-1'), 'open')
    await victim.count(1)
    await publish(victim.client, `${REPLY_PREFIX}/gate-1`, 'done')
    await messenger.count(1)
    // What it may have comes behind what it may not.
    await publish(messenger.client, commandTopic('gate-2'), 'own')
    await thief.count(1)
    t.strictSame([...new Set(received(thief))], [`${commandTopic('gate-2')} own`])
  })
}

for (const protocolVersion of [5, 4] as const) {
  t.test(`does not let a device answer for another or send commands, at protocol level ${protocolVersion}`, { skip }, async t => {
    const { url } = await startSecured(t)
    const messenger = await subscribe(t, url, `${REPLY_PREFIX}/+`, as('messenger'))
    const victim = await subscribe(t, url, commandTopic('gate-1'), as('gate-1'))
    const forger = await subscribe(t, url, commandTopic('gate-2'), { ...as('gate-2'), protocolVersion })
    const answers = []
    for (const topic of [`${REPLY_PREFIX}/gate-1`, commandTopic('gate-1'), commandTopic('gate-2'), `${REPLY_PREFIX}/gate-2/gate-1`]) {
      answers.push(await publish(forger.client, topic, 'forged'))
    }
    const refused = protocolVersion === 5 ? 'Publish error: Not authorized' : 'taken'
    t.strictSame(answers, [refused, refused, refused, refused])
    t.equal(await publish(forger.client, `${REPLY_PREFIX}/gate-2`, 'own'), 'taken')
    await messenger.count(1)
    await publish(messenger.client, commandTopic('gate-1'), 'open')
    await victim.count(1)
    t.strictSame(received(messenger), [`${REPLY_PREFIX}/gate-2 own`])
    t.strictSame(received(victim), [`${commandTopic('gate-1')} open`])
    t.strictSame(received(forger), [])
  })
}

for (const [listener, what] of [[['use_username_as_clientid true'], 'keeps'], [[], 'loses']] as const) {
  t.test(`${what} the commands of a device that is away when another comes with its client identifier: ${listener.join() || 'without the line for it'}`, { skip }, async t => {
    const { url } = await startSecured(t, listener)
    const messenger = await subscribe(t, url, `${REPLY_PREFIX}/+`, as('messenger'))
    const session = { clientId: 'gate-1', clean: false, properties: { sessionExpiryInterval: 600 } }
    const before = await subscribe(t, url, commandTopic('gate-1'), { ...as('gate-1'), ...session })
    await before.client.endAsync()
    t.equal(await publish(messenger.client, commandTopic('gate-1'), 'open'), 'taken')
    const thief = await subscribe(t, url, commandTopic('gate-2'), { ...as('gate-2'), ...session })
    await thief.client.endAsync()
    const after = await subscribe(t, url, commandTopic('gate-1'), { ...as('gate-1'), ...session })
    t.equal(await publish(messenger.client, commandTopic('gate-1'), 'close'), 'taken')
    await until(() => received(after).at(-1) === `${commandTopic('gate-1')} close`, 'the command after it')
    t.strictSame(received(after).map(text => text.split(' ')[1]), what === 'keeps' ? ['open', 'close'] : ['close'])
    t.strictSame(received(thief), [])
  })
}

t.test('has in its whole configuration no way for a device into the session of another', { skip: skip || skipWithoutOpenssl }, async t => {
  const [certificates, ofMessengers] = [createCertificates(t), createCertificates(t)]
  const ports = { 8883: await freePort(), 1883: await freePort(), 8884: await freePort() }
  const commented = /^#(listener|cafile|certfile|keyfile|require_certificate)/gm
  const config = Object.entries(ports).reduce((text, [from, to]) => text.replace(`listener ${from}`, `listener ${to} 127.0.0.1`), readFileSync('deploy/mosquitto/mosquitto.conf', 'utf8'))
    .replaceAll(commented, '$1').replaceAll('/etc/mosquitto/tls/messengers-ca.crt', ofMessengers.path('ca.crt')).replaceAll(/\/etc\/mosquitto\/tls\/(\S+)/g, (_, name: string) => certificates.path(name))
    .replaceAll('/etc/mosquitto/', '{dir}/').replace('/mosquitto/data/', '{dir}/').replace('log_dest stdout', 'log_dest none')
  await startMosquitto(t, { config: [config], files: { passwords: createPasswords(t), acl_file: readFileSync('deploy/mosquitto/acl_file', 'utf8') } })
  const url = (port: number) => `mqtts://127.0.0.1:${port}`
  const ca = certificates.read('ca.crt')
  const session = { ca, clientId: 'gate-1', clean: false, properties: { sessionExpiryInterval: 600 } }

  const ofMessenger = { ca, cert: ofMessengers.read('client.crt'), key: ofMessengers.read('client.key'), ...as('messenger') }
  const messenger = await subscribe(t, url(ports[8884]), `${REPLY_PREFIX}/+`, ofMessenger)
  const before = await subscribe(t, url(ports[8883]), commandTopic('gate-1'), { ...as('gate-1'), ...session })
  await before.client.endAsync()
  t.equal(await publish(messenger.client, commandTopic('gate-1'), 'open'), 'taken')
  const thief = await subscribe(t, url(ports[8883]), commandTopic('gate-2'), { ...as('gate-2'), ...session })
  await thief.client.endAsync()
  for (const own of [{}, { cert: certificates.read('client.crt'), key: certificates.read('client.key') }]) {
    await t.rejects(subscribe(t, url(ports[8884]), commandTopic('gate-2'), { ...as('gate-2'), ...session, ...own, reconnectPeriod: 0 }))
  }
  const after = await subscribe(t, url(ports[8883]), commandTopic('gate-1'), { ...as('gate-1'), ...session })
  await after.count(1)
  t.strictSame([received(after), received(thief)], [[`${commandTopic('gate-1')} open`], []])
})
