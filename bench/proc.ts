import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Clock ticks a second, the unit of CPU times in /proc. */
let ticksPerS = 0

/** @throws where there is no Linux /proc, by which processes are measured from outside, with no code in them */
export function requireProc (): void {
  if (process.platform !== 'linux') throw new Error(`The benchmark reads CPU and memory from /proc, which only Linux has; this is ${process.platform}`)
  ticksPerS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
}

/** CPU that a process has used so far, user and system, over all of its threads, in microseconds. */
export function readCpuUs (pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name, in parentheses, may hold blanks; utime and stime are fields 14 and 15, the first after the name is 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerS * 1e6
}

/** A process and its children. */
export function readTree (pid: number): number[] {
  return [pid, ...readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(id => id !== '').map(Number)]
}

/** Resident memory of a process, in MiB. */
export function readRssMiB (pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  if (match === null) throw new Error(`no VmRSS of process ${pid}`)
  return Number(match[1]) / 1024
}
