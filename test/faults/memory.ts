import { readFileSync } from 'node:fs'

/** Resident memory of a process, in MiB. @throws where there is no Linux /proc */
export function readRssMiB (pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  if (match === null) throw new Error(`no VmRSS of process ${pid}`)
  return Number(match[1]) / 1024
}
