import { pino } from 'pino'
import t from 'tap'
import { createAnsweredLog, type AnsweredLine } from '../src/answered-line.js'
import { createLog } from './helpers/log.js'

const NOTHING = {
  reqId: 'r', traceId: undefined, method: 'GET', path: '/', status: 200, durationMs: 0, user: undefined, command: undefined, topic: undefined, commandId: undefined, outcome: undefined, reason: undefined, commands: undefined
}
const ODD = 'a "b" \\ \n \u2028 é 😀 \ud800 </script>'

/** The members of each line, but for its time. */
function write (lines: ReadonlyArray<Partial<AnsweredLine>>, bindings: object = {}): object[] {
  const log = createLog()
  const writeLine = createAnsweredLog(pino({ base: null, ...log.logger }, log.logger.stream).child(bindings))
  for (const line of lines) writeLine({ ...NOTHING, ...line })
  return log.lines.map(line => {
    t.ok(line.endsWith('}\n'))
    const { time, ...members } = JSON.parse(line)
    t.ok(Math.abs(Date.now() - time) < 60_000)
    return members
  })
}

t.test('writes what there is to tell, as JSON whatever is in it, with the level, time and bindings of the log', async t => {
  const user = { sub: ODD, exp: 1, client_id: ODD }
  const all = { user, path: ODD, topic: ODD, command: { imei: '1', micro_op: 'a' }, commandId: 'c', outcome: 'not_sent', reason: 'refused' }
  const shared = { level: 30, reqId: 'r', method: 'GET', status: 200, durationMs: 0, msg: 'answered' }
  const told = { sub: ODD, client_id: ODD, path: ODD, topic: ODD, imei: '1', micro_op: 'a', commandId: 'c', outcome: 'not_sent', reason: 'refused' }
  t.strictSame(write([{}, all, all], { a: 1 }), [
    { ...shared, path: '/', a: 1 }, { ...shared, ...told, a: 1 }, { ...shared, ...told, a: 1 }
  ])
})

t.test('leaves no character in it that would do something to a terminal', async t => {
  const log = createLog()
  const sub = '\u001b[31m \u009b \u2028 \u202e \u2066 ü'
  createAnsweredLog(pino(log.logger, log.logger.stream))({ ...NOTHING, path: `/${sub}`, user: { sub, exp: 1 } })
  t.notMatch(log.lines[0]?.trimEnd(), /[^ -~ü]/)
  t.match(JSON.parse(String(log.lines[0])), { sub, path: `/${sub}` })
})

t.test('is short enough for one write to a pipe, whatever a caller puts into it', async t => {
  const log = createLog()
  const long = 'ü'.repeat(8_000)
  createAnsweredLog(pino(log.logger, log.logger.stream))({ ...NOTHING, path: long, user: { sub: long, client_id: long, exp: 1 } })
  const line = String(log.lines[0])
  t.ok(Buffer.byteLength(line) < 4_096, `${Buffer.byteLength(line)} bytes`)
  const told = `${'ü'.repeat(256)}...`
  t.match(JSON.parse(line), { sub: told, client_id: told, path: told })
})

t.test('names the client by client_id, otherwise by azp, where they are texts', async t => {
  const lines = write([{ client_id: 'a', azp: 'b' }, { client_id: 1, azp: 'b' }, { azp: {} }].map(claims => ({ user: { sub: 's', exp: 1, ...claims } })))
  t.strictSame(lines.map(line => 'client_id' in line ? line.client_id : 'none'), ['a', 'b', 'none'])
})

t.test('tells durations with one decimal', async t => {
  const lines = write([0.04, 0.05, 0.96, 1, 12.34, 5000.05].map(durationMs => ({ durationMs })))
  t.strictSame(lines.map(line => 'durationMs' in line && line.durationMs), [0, 0.1, 1, 1, 12.3, 5000.1])
})

t.test('writes nothing where the level is above info', async t => {
  const lines: string[] = []
  createAnsweredLog(pino({ level: 'warn' }, { write (line: string) { lines.push(line) } }))(NOTHING)
  t.strictSame(lines, [])
})
