import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { answer } from '../helpers/answering-device.js'
import { EXAMPLE, SECRET, token } from '../helpers/app.js'
import { startMosquitto } from '../helpers/mosquitto.js'
import { runProgram } from '../helpers/program.js'
import { startPrometheus } from '../helpers/prometheus.js'
import { scrape } from '../helpers/scrape.js'
import { skipWithout } from '../helpers/shell.js'
import { subscribe } from '../helpers/subscriber.js'

const skip = skipWithout('prometheus', 'promtool', 'mosquitto')

interface Panel {
  readonly title: string
  readonly datasource?: { readonly uid: string }
  readonly gridPos: { readonly x: number, readonly y: number, readonly w: number, readonly h: number }
  readonly targets?: ReadonlyArray<{ readonly expr: string, readonly datasource: { readonly uid: string } }>
}
const dashboard: { panels: readonly Panel[], [member: string]: unknown } = JSON.parse(readFileSync('deploy/grafana/messenger.json', 'utf8'))
const shown = dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })))

interface Rule { readonly alert: string, readonly expr: string, readonly labels: { readonly severity: string }, readonly annotations: { readonly summary: string } }
const rules = (parse(readFileSync('deploy/prometheus/alerts.yml', 'utf8')) as { groups: ReadonlyArray<{ rules: readonly Rule[] }> }).groups.flatMap(group => group.rules)

/** An expression of the dashboard, as Grafana sends it. */
const filledIn = (expression: string) => expression.replaceAll('$__rate_interval', '1m').replaceAll('$job', 'messenger').replaceAll('$instance', '.*')

const namesIn = (expression: string) => [...expression.replaceAll(/"[^"]*"/g, '').matchAll(/\b(?:messenger|process|nodejs)_\w+/g)].map(match => match[0])

const promtool = (...args: string[]) => execFileSync('promtool', args, { encoding: 'utf8', cwd: 'deploy/prometheus' })

t.test('promtool finds no fault in the configuration, the alerts and their tests', { skip }, async t => {
  t.match(promtool('check', 'rules', 'alerts.yml'), `SUCCESS: ${rules.length} rules found`)
  t.match(promtool('check', 'config', 'prometheus.yml'), 'SUCCESS: prometheus.yml is valid')
  t.match(promtool('test', 'rules', 'alerts.test.yml'), 'SUCCESS')
})

t.test('has each alert once, with a severity and a summary, and a test in which it fires', async t => {
  t.equal(new Set(rules.map(rule => rule.alert)).size, rules.length)
  const tests = readFileSync('deploy/prometheus/alerts.test.yml', 'utf8')
  for (const { alert, labels, annotations } of rules) {
    t.ok(['critical', 'warning'].includes(labels.severity) && annotations.summary.length > 0, alert)
    t.ok(tests.includes(`{ labels: '{alertname="${alert}"}', value: `), alert)
  }
})

t.test('says in docs/operations.md what each alert means, and has no other there', async t => {
  const named = [...readFileSync('docs/operations.md', 'utf8').matchAll(/^\| `(Messenger\w+)` \|/gm)].map(match => match[1])
  t.strictSame(named, rules.map(({ alert }) => alert))
})

t.test('has a dashboard that can be imported, with a data source to choose and panels beside each other', async t => {
  t.match(dashboard, {
    __inputs: [{ name: 'DS_PROMETHEUS', type: 'datasource', pluginId: 'prometheus' }], id: null, uid: 'messenger', title: 'Messenger', schemaVersion: Number
  })
  const taken = new Set<string>()
  for (const { title, gridPos: { x, y, w, h }, datasource, targets = [] } of dashboard.panels) {
    t.ok(x + w <= 24, title)
    for (let cell = 0; cell < w * h; cell++) {
      const place = `${x + cell % w},${y + Math.floor(cell / w)}`
      t.notOk(taken.has(place), `${title} lies on another at ${place}`)
      taken.add(place)
    }
    for (const source of targets.length === 0 ? [] : [datasource, ...targets.map(target => target.datasource)]) t.equal(source?.uid, '$' + '{DS_PROMETHEUS}', title)
  }
})

/** A messenger with its metrics that has done a bit of everything, and a Prometheus that scrapes it. */
async function startScraped (t: Test) {
  const broker = await startMosquitto(t)
  const env = { PORT: '0', METRICS_PORT: '0', MQTT_URL: broker.url, JWT_SECRET: SECRET, LOG_LEVEL: 'info' }
  const server = runProgram(t, 'src/server.ts', { env })
  await server.says('connected to the broker')
  const portIn = (pattern: RegExp) => Number(pattern.exec(server.output.stdout)?.[1])
  const url = `http://127.0.0.1:${portIn(/Server listening at http:\/\/127\.0\.0\.1:(\d+)/)}/messaging/send`
  const metricsPort = portIn(/Metrics at http:\/\/127\.0\.0\.1:(\d+)\/metrics/)
  const prometheus = await startPrometheus(t, metricsPort)
  const authorization = `Bearer ${await token()}`
  const { client } = await subscribe(t, broker.url, 'devices/+/commands')
  client.on('message', (_topic, _payload, packet) => {
    if (packet.properties?.responseTopic !== undefined) answer(client, packet, 'done').catch(t.fail)
  })
  const send = async (headers: Readonly<Record<string, string>> = {}) => {
    const response = await fetch(url, {
      method: 'POST', headers: { authorization, 'content-type': 'application/json', connection: 'close', ...headers }, body: JSON.stringify(EXAMPLE)
    })
    await response.arrayBuffer()
    return response.status
  }
  return { broker, server, prometheus, metricsPort, send }
}

/** Asks again until the answer will do. */
async function eventually<T> (ask: () => Promise<T>, isEnough: (answer: T) => boolean): Promise<T> {
  const endMs = performance.now() + 20_000
  let answer = await ask()
  while (!isEnough(answer) && performance.now() < endMs) {
    await sleep(50)
    answer = await ask()
  }
  return answer
}

t.test('a real Prometheus scrapes the messenger, and has an answer for the whole dashboard and each alert', { skip }, async t => {
  const { broker, server, prometheus, metricsPort, send } = await startScraped(t)
  // The series of an answer begin with it: two of each, with scrapes between, make a rate.
  for (const round of ['one', 'other']) {
    t.equal(await send(), 200)
    t.equal(await send({ prefer: 'wait=10' }), 200)
    t.equal(await send({ 'idempotency-key': round }), 200)
    const seen = `messenger_http_request_duration_seconds_count{status_code="200",route="/messaging/send"} == ${round === 'one' ? 3 : 6}`
    t.equal((await eventually(() => prometheus.query(seen), series => series.length > 0)).length, 1, seen)
  }

  t.test('names only metrics that there are', async t => {
    const { families } = await scrape(metricsPort)
    // Those of WORKERS are only where there are some: test/workers has them.
    const known = new Set(['messenger_workers_wanted', 'messenger_workers', 'messenger_worker_ends_total', ...[...families.values()].flatMap(({ name, type }) => type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name])])
    for (const { title, expr } of shown) t.strictSame(namesIn(expr).filter(name => !known.has(name)), [], title)
    for (const { alert, expr } of rules) t.strictSame(namesIn(expr).filter(name => !known.has(name)), [], alert)
  })

  t.test('fills each panel', async t => {
    for (const { title, expr } of shown) {
      const series = await eventually(() => prometheus.query(filledIn(expr)), series => series.length > 0)
      t.ok(series.length > 0, `${title}: ${expr}`)
    }
  })

  t.test('shows what was done', async t => {
    const valueOf = async (expression: string) => Number((await prometheus.query(expression))[0]?.value[1])
    t.equal(await valueOf('up{job="messenger"}'), 1)
    t.equal(await valueOf('messenger_commands_total{job="messenger",outcome="accepted"}'), 6)
    t.equal(await valueOf('messenger_replies_total{job="messenger",result="answered"}'), 2)
    t.equal(await valueOf('messenger_idempotency_keys_total{job="messenger",result="first"}'), 2)
  })

  t.test('evaluates each alert without a fault, and none is raised', async t => {
    type State = { groups: ReadonlyArray<{ rules: ReadonlyArray<{ name: string, health: string, state: string, lastError?: string }> }> }
    const ask = async () => (await prometheus.ask<State>('rules')).data.groups.flatMap(group => group.rules)
    // A scrape that came too late, on a busy machine, has one pending for a moment.
    const states = await eventually(ask, rules => rules.every(({ health, state }) => health === 'ok' && state === 'inactive'))
    t.strictSame(states.map(({ name, health, state }) => `${name} ${health} ${state}`).sort(), rules.map(({ alert }) => `${alert} ok inactive`).sort())
  })

  t.test('raises the alert of a broker that is away, once it has been so for long enough', async t => {
    await broker.stop()
    const raised = await eventually(() => prometheus.query('ALERTS{alertname="MessengerBrokerDisconnected"}'), series => series.length > 0)
    t.match(raised, [{ metric: { alertstate: 'pending', severity: 'critical', job: 'messenger' } }])
    t.equal(await send(), 406)
  })

  t.test('ends', async t => {
    await prometheus.stop()
    server.kill('SIGTERM')
    t.strictSame(await server.exit(), { code: 0, signal: null })
  })
})
