import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import mqtt from 'mqtt'
import t, { type Test } from 'tap'
import { createSecretKey } from '../src/auth/keys.js'
import { loadConfig } from '../src/config/config.js'
import { readDemoState, startDemo, type Demo } from '../src/demo.js'
import { startEmbeddedBroker } from '../src/mqtt/embedded-broker.js'
import { COMPLETE } from './helpers/config.js'
import { subscribe } from './helpers/subscriber.js'

/** Where a test keeps what the demo makes up: in a folder that is not there yet. */
function createFile (t: Test): string {
  return `${t.testdir({})}/.messenger/demo.json`
}

/** A file that was there before the demo. */
function writeKept (t: Test, text: string): string {
  const file = createFile(t)
  mkdirSync(file.replace('/demo.json', ''))
  writeFileSync(file, text)
  return file
}

/** A demo, stopped with the test. */
async function start (t: Test, environment: Readonly<Record<string, string>>, file: string): Promise<Demo> {
  const demo = await startDemo(loadConfig(environment), file)
  t.teardown(() => demo.stop())
  return demo
}

/** A demo with no broker of its own. */
async function startBrokerless (t: Test, file: string): Promise<Demo> {
  return await start(t, { MQTT_URL: COMPLETE.MQTT_URL }, file)
}

/** The permissions of a file or folder. */
function modeOf (path: string): string {
  return (statSync(path).mode & 0o777).toString(8)
}

t.test('makes up a broker and a secret where neither is set, and changes nothing else', async t => {
  const file = createFile(t)
  const config = loadConfig({})
  const demo = await startDemo(config, file)
  t.teardown(() => demo.stop())
  const { broker = '', secret = '' } = demo.state
  t.match(broker, /^mqtt:\/\/127\.0\.0\.1:\d+$/)
  t.match(secret, /^[0-9A-Za-z_-]{43}$/, '32 random bytes')
  t.strictSame(demo.config, {
    ...config,
    auth: { ...config.auth, keys: [createSecretKey(secret)] },
    mqtt: { ...config.mqtt, urls: [broker] }
  })
  t.strictSame(loadConfig({}).mqtt.urls, config.mqtt.urls, 'the configuration it was given is as before')
})

t.test('keeps what it made up for its owner alone', async t => {
  const file = createFile(t)
  const { state, announce } = await start(t, {}, file)
  announce()
  t.equal(readFileSync(file, 'utf8'), `{\n  "broker": "${state.broker}",\n  "secret": "${state.secret}"\n}\n`)
  t.equal(modeOf(file), '600')
  t.equal(modeOf(file.replace('/demo.json', '')), '700')
  t.strictSame(readDemoState(file), state)
})

t.test('takes from others a file that they could read', async t => {
  const file = writeKept(t, '{}')
  chmodSync(file, 0o644)
  await startBrokerless(t, file)
  t.equal(modeOf(file), '600')
})

t.test('starts a broker that delivers, and ends it when it stops', async t => {
  const demo = await startDemo(loadConfig({}), createFile(t))
  const { broker = '' } = demo.state
  const device = await subscribe(t, broker, 'devices/42/commands', { reconnectPeriod: 0 })
  const publisher = await mqtt.connectAsync(broker, { protocolVersion: 5, reconnectPeriod: 0 })
  await publisher.publishAsync('devices/42/commands', 'push_down', { qos: 1 })
  await device.count(1)
  t.strictSame(device.payloads, ['push_down'])
  const closed = [device.client, publisher].map(client => new Promise<void>(resolve => { client.once('close', resolve) }))
  await demo.stop()
  await Promise.all(closed)
})

t.test('keeps its secret over a restart, so that tokens outlive it', async t => {
  const file = createFile(t)
  const first = await startDemo(loadConfig({}), file)
  await first.stop()
  const second = await start(t, {}, file)
  t.equal(second.state.secret, first.state.secret)
  t.strictSame(second.config.auth.keys, first.config.auth.keys)
})

t.test('makes a secret of its own in each folder', async t => {
  const dir = t.testdir({})
  const first = await startBrokerless(t, `${dir}/a/demo.json`)
  const second = await startBrokerless(t, `${dir}/b/demo.json`)
  t.not(second.state.secret, first.state.secret)
})

t.test('makes a new secret where the file is broken or what it has is no good secret', async t => {
  for (const text of ['', '{"secret":', 'null', '"secret"', '[]', '{}', '{"secret":null}', '{"secret":42}', `{"secret":"${'x'.repeat(31)}"}`]) {
    const file = writeKept(t, text)
    const { state } = await startBrokerless(t, file)
    t.match(state.secret, /^[0-9A-Za-z_-]{43}$/, text)
    t.strictSame(readDemoState(file), { secret: state.secret })
  }
})

t.test('takes a secret of 32 characters that somebody wrote into the file', async t => {
  const secret = 'x'.repeat(32)
  const { state } = await startBrokerless(t, writeKept(t, JSON.stringify({ secret })))
  t.equal(state.secret, secret)
})

t.test('starts no broker where one is set', async t => {
  const file = createFile(t)
  const config = loadConfig({ MQTT_URL: COMPLETE.MQTT_URL })
  const demo = await startDemo(config, file)
  t.equal(demo.state.broker, undefined)
  t.strictSame(demo.config.mqtt, config.mqtt)
  t.strictSame(demo.config.auth.keys, [createSecretKey(demo.state.secret ?? '')])
  await demo.stop()
})

t.test('makes no secret where keys are fetched from an issuer', async t => {
  const file = createFile(t)
  const config = loadConfig({ OIDC_ISSUER: 'https://issuer.example', JWT_AUDIENCE: 'messenger' })
  const demo = await startDemo(config, file)
  t.teardown(() => demo.stop())
  t.strictSame(demo.config.auth, config.auth)
  t.equal(demo.state.secret, undefined)
})

t.test('makes no secret where a key is set, and keeps none', async t => {
  const file = createFile(t)
  const config = loadConfig({ JWT_SECRET: COMPLETE.JWT_SECRET })
  const demo = await startDemo(config, file)
  t.teardown(() => demo.stop())
  t.strictSame(demo.config.auth, config.auth)
  t.strictSame(demo.state, { broker: demo.state.broker, secret: undefined })
  demo.announce()
  t.equal(readFileSync(file, 'utf8'), `{\n  "broker": "${demo.state.broker}"\n}\n`)
})

t.test('keeps the secret of earlier tokens where a key is set for once', async t => {
  const file = createFile(t)
  const { state: { secret } } = await startBrokerless(t, file)
  await start(t, { ...COMPLETE, MQTT_URL: '' }, file)
  t.equal(readDemoState(file).secret, secret)
  t.equal((await startBrokerless(t, file)).state.secret, secret)
})

t.test('keeps its file in the working directory where none is named', async t => {
  const dir = t.testdir({})
  t.chdir(dir)
  t.strictSame(readDemoState(), {})
  const demo = await startDemo(loadConfig({ MQTT_URL: COMPLETE.MQTT_URL }))
  await demo.stop()
  t.equal(modeOf(`${dir}/.messenger/demo.json`), '600')
  t.strictSame(readDemoState(), { secret: demo.state.secret })
})

t.test('takes another port where the one for brokers is taken, such as by another demo', async t => {
  const dir = t.testdir({})
  const first = await start(t, {}, `${dir}/a/demo.json`)
  const second = await start(t, {}, `${dir}/b/demo.json`)
  t.not(second.state.broker, first.state.broker)
  for (const { broker = '' } of [first.state, second.state]) {
    const client = await mqtt.connectAsync(broker, { protocolVersion: 5 })
    t.equal(client.connected, true, broker)
    await client.endAsync()
  }
})

t.test('leaves the address of another demo in its file until its own is announced', async t => {
  const file = createFile(t)
  const first = await start(t, {}, file)
  first.announce()
  const second = await startDemo(loadConfig({}), file)
  t.strictSame(readDemoState(file), first.state, 'the second may still fail to listen')
  await second.stop()
  t.strictSame(readDemoState(file), first.state)
})

t.test('puts the address of another demo back when it stops', async t => {
  const file = createFile(t)
  const first = await startDemo(loadConfig({}), file)
  first.announce()
  const second = await startDemo(loadConfig({}), file)
  second.announce()
  t.strictSame(readDemoState(file), second.state)
  await second.stop()
  t.strictSame(readDemoState(file), first.state)
  await first.stop()
  t.strictSame(readDemoState(file), { secret: first.state.secret }, 'then there is none')
})

t.test('leaves the address of a demo that was started since when it stops', async t => {
  const file = createFile(t)
  const first = await startDemo(loadConfig({}), file)
  first.announce()
  const second = await start(t, {}, file)
  second.announce()
  await first.stop()
  t.strictSame(readDemoState(file), second.state)
})

t.test('announces nothing where the broker is not its own', async t => {
  const file = createFile(t)
  const first = await start(t, {}, file)
  first.announce()
  const second = await startBrokerless(t, file)
  second.announce()
  await second.stop()
  t.strictSame(readDemoState(file), first.state)
})

t.test('takes the port that is asked for where that is free, and another one where it is not', async t => {
  const blocker = createServer().listen(0, '127.0.0.1')
  await once(blocker, 'listening')
  t.teardown(() => { blocker.close() })
  const { port } = blocker.address() as AddressInfo
  const broker = await startEmbeddedBroker(port)
  t.match(broker.url, /^mqtt:\/\/127\.0\.0\.1:\d+$/)
  t.not(broker.url, `mqtt://127.0.0.1:${port}`)
  await broker.stop()
  const again = await startEmbeddedBroker(Number(new URL(broker.url).port))
  t.equal(again.url, broker.url)
  await again.stop()
})

t.test('does not start a broker without Aedes, and says what to install', async t => {
  const absent = { get Aedes () { throw new Error("Cannot find package 'aedes'") } }
  const { startEmbeddedBroker } = await t.mockImport<typeof import('../src/mqtt/embedded-broker.js')>(import.meta.resolve('../src/mqtt/embedded-broker.js'), { aedes: absent })
  await t.rejects(startEmbeddedBroker(), {
    message: /^the embedded broker needs the package aedes: npm install aedes@2\.0\.0-beta\.1, or set MQTT_URL$/,
    cause: { message: "Cannot find package 'aedes'" }
  })
})
