/* What the kernel knows about processes: CPU time, memory, who started whom. Linux only. */
import { readdirSync, readFileSync } from 'node:fs'

/** Clock ticks per second of /proc; 100 on every Linux that Node runs on. Source: proc_pid_stat(5). */
const TICKS_PER_SECOND = 100

/** Fields of /proc/PID/stat after the name in brackets, which may hold anything: state is the first. */
function statFields(pid: number): readonly string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

/** User and system time of the process so far, ms; those of its children are not in it. */
export function cpuMs(pid: number): number {
  const fields = statFields(pid)
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_SECOND
}

export function cpuOfAllMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuMs(pid), 0)
}

/** Resident memory, MB (10^6). */
export function residentMb(pid: number): number {
  return kibibytes(`/proc/${pid}/status`, 'VmRSS') * 1.024e-3
}

/** Proportional set size, MB (10^6): shared pages are counted in equal parts, so that sums are true. */
export function proportionalMb(pid: number): number {
  return kibibytes(`/proc/${pid}/smaps_rollup`, 'Pss') * 1.024e-3
}

function kibibytes(path: string, field: string): number {
  const line = readFileSync(path, 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${field}:`))
  return Number(/\d+/u.exec(line ?? '')?.[0] ?? Number.NaN)
}

export type ProcessEntry = { readonly pid: number; readonly parent: number; readonly command: string }

/** Every process there is; those that end meanwhile are left out. */
export function listProcesses(): readonly ProcessEntry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
        return [{ pid: Number(name), parent: Number(statFields(Number(name))[1]), command }]
      } catch {
        return [] // it ended between the two reads
      }
    })
}

/** The process and everything below it. */
export function treeOf(root: number): readonly ProcessEntry[] {
  const all = listProcesses()
  const found = all.filter(({ pid }) => pid === root)
  for (const entry of found) found.push(...all.filter(({ parent }) => parent === entry.pid))
  return found
}
