import t from 'tap'
import { showStatus } from '../../../src/cli/device/status.js'
import { createFakeClock } from '../../helpers/fake-clock.js'

function start (columns: number | undefined) {
  const { clock, advance } = createFakeClock()
  const tally = { ready: 0, commands: 0, duplicates: 0, late: 0, replies: 0, lost: 0 }
  let written = ''
  const status = showStatus({ output: { write (text: string) { written += text; return true } }, columns: () => columns, clock, count: 9, tally })
  const take = () => {
    const text = written
    written = ''
    return text
  }
  return { status, tally, advance, take }
}

const NOTHING_YET = '0/9 connected, 0 commands (and 0 duplicates, 0 late), 0 replies (and 0 lost)'
const ALL = '9/9 connected, 50 commands (and 1 duplicates, 2 late), 40 replies (and 3 lost)'

t.test('writes a line every five seconds in which something happened, and the sum', async t => {
  const { status, tally, advance, take } = start(undefined)
  advance(4_999)
  t.equal(take(), '')
  advance(1)
  t.equal(take(), `${NOTHING_YET}, 0 commands/s\n`)
  advance(10_000)
  t.equal(take(), '')
  Object.assign(tally, { ready: 9, commands: 50, duplicates: 1, late: 2, replies: 40, lost: 3 })
  status.clear()
  advance(5_000)
  t.equal(take(), `${ALL}, 10 commands/s\n`)
  status.stop()
  advance(10_000)
  t.equal(take(), `${ALL}\n`)
})

t.test('writes one line over and over on a terminal, and makes room for others', async t => {
  const { status, tally, advance, take } = start(200)
  Object.assign(tally, { ready: 9, commands: 50, duplicates: 1, late: 2, replies: 40, lost: 3 })
  advance(500)
  t.equal(take(), `\r\u001B[2K${ALL}, 100 commands/s`)
  advance(500)
  t.equal(take(), `\r\u001B[2K${ALL}, 0 commands/s`)
  status.clear()
  t.equal(take(), '\r\u001B[2K')
  status.stop()
  t.equal(take(), `\r\u001B[2K${ALL}\n`)
})

t.test('writes all of it to a terminal that does not tell its width', async t => {
  const { advance, take } = start(0)
  advance(500)
  t.equal(take(), `\r\u001B[2K${NOTHING_YET}, 0 commands/s`)
})

t.test('cuts what a terminal is too narrow for: the next line must stand over it', async t => {
  const { status, tally, advance, take } = start(40)
  Object.assign(tally, { ready: 9, commands: 50, duplicates: 1, late: 2, replies: 40, lost: 3 })
  advance(500)
  t.equal(take(), `\r\u001B[2K${ALL.slice(0, 39)}`)
  status.stop()
  t.equal(take(), `\r\u001B[2K${ALL}\n`)
})
