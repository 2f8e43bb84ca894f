/** Reading /proc: the only place that knows its formats (proc(5)). All reads are synchronous: procfs never waits for a disk. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'

import { MARKER_VARIABLE } from './model.ts'

export type ProcessInfo = {
  readonly pid: number
  readonly parentPid: number
  readonly groupId: number
  readonly sessionId: number
  /** One letter; Z and X are dead. */
  readonly state: string
  readonly startTicks: number
  /** CPU of the process and of the children it has waited for, in ticks of 10 ms. */
  readonly cpuTicks: number
  readonly rssPages: number
}

export const TICKS_PER_SECOND = 100
const ENVIRON_MAX_BYTES = 2 * 1024 * 1024

/** Parses /proc/PID/stat; the command in parentheses may itself hold spaces and parentheses. */
export function parseStat(text: string): ProcessInfo | undefined {
  const close = text.lastIndexOf(') ')
  if (close < 0) return undefined
  const fields = text.slice(close + 2).split(' ')
  const at = (index: number): number => Number(fields[index] ?? Number.NaN)
  const info = {
    pid: Number.parseInt(text, 10),
    state: fields[0] ?? 'X',
    parentPid: at(1),
    groupId: at(2),
    sessionId: at(3),
    cpuTicks: at(11) + at(12) + at(13) + at(14),
    startTicks: at(19),
    rssPages: at(21),
  }
  return Number.isInteger(info.pid) && Number.isInteger(info.startTicks) ? info : undefined
}

/** Where there is no /proc (macOS), `ps` tells the same but for CPU; a session is then taken for its process group. */
const HAS_PROC = process.platform === 'linux'
const PS_COLUMNS = 'pid=,ppid=,pgid=,stat=,rss=,lstart='
const PS_PAGE_KIB = 4

/** Parses the output of `ps -o pid=,ppid=,pgid=,stat=,rss=,lstart=`. */
export function parsePs(text: string): readonly ProcessInfo[] {
  return text.split('\n').flatMap((line) => {
    const [pid, parentPid, groupId, state, rssKib, ...start] = line.trim().split(/\s+/)
    const startTicks = Date.parse(start.join(' '))
    if (pid === undefined || state === undefined || Number.isNaN(startTicks)) return []
    return [
      {
        pid: Number(pid),
        parentPid: Number(parentPid),
        groupId: Number(groupId),
        sessionId: Number(groupId),
        state: state.charAt(0),
        startTicks,
        cpuTicks: 0,
        rssPages: Math.round(Number(rssKib) / PS_PAGE_KIB),
      },
    ]
  })
}

function runPs(selection: readonly string[]): readonly ProcessInfo[] {
  try {
    const options = {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
      maxBuffer: 16 * 1024 * 1024,
    } as const
    return parsePs(execFileSync('ps', [...selection, '-o', PS_COLUMNS], options))
  } catch {
    return [] // ps fails when no process is selected
  }
}

/** The process, or undefined when there is none or it may not be looked at. */
export function findProcess(pid: number): ProcessInfo | undefined {
  if (!HAS_PROC) return runPs(['-p', String(pid)])[0]
  const text = readIfThere(`/proc/${pid}/stat`)
  return text === undefined ? undefined : parseStat(text)
}

/** True while exactly this process runs: same pid, same start, not a zombie. */
export function isRunning(id: { readonly pid: number; readonly startTicks: number }): boolean {
  const info = findProcess(id.pid)
  return info !== undefined && info.startTicks === id.startTicks && !isDead(info)
}

export function isDead(info: ProcessInfo): boolean {
  return info.state === 'Z' || info.state === 'X'
}

export function listProcesses(): readonly ProcessInfo[] {
  if (!HAS_PROC) return runPs(['-A'])
  const found: ProcessInfo[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(name)) continue
    const info = findProcess(Number(name))
    if (info) found.push(info)
  }
  return found
}

/** The environment a process was started with; empty when it may not be read. */
export function readEnvironment(pid: number): Readonly<Record<string, string>> {
  const text = readIfThere(`/proc/${pid}/environ`) ?? ''
  if (text.length > ENVIRON_MAX_BYTES) return {}
  return Object.fromEntries(
    text.split('\0').flatMap((entry) => {
      const equals = entry.indexOf('=')
      return equals > 0 ? [[entry.slice(0, equals), entry.slice(equals + 1)] as const] : []
    }),
  )
}

/** The value of the environment marker a process was started with, if it has one and may be read. */
export function findMarker(pid: number): string | undefined {
  return readEnvironment(pid)[MARKER_VARIABLE]
}

export function findUid(pid: number): number | undefined {
  try {
    return statSync(`/proc/${pid}`).uid
  } catch {
    return undefined // it ended meanwhile
  }
}

/** Proportional set size in bytes: shared pages count once over all who share them. Undefined where the kernel refuses. */
export function findPssBytes(pid: number): number | undefined {
  const text = readIfThere(`/proc/${pid}/smaps_rollup`)
  const match = text === undefined ? null : /^Pss:\s+([0-9]+) kB/m.exec(text)
  return match ? Number(match[1]) * 1024 : undefined
}

export type HeldSocket = { readonly pid: number; readonly descriptor: string; readonly inode: string }

/** The sockets a process holds. */
export function socketsOf(pid: number): readonly HeldSocket[] {
  let descriptors: readonly string[]
  try {
    descriptors = readdirSync(`/proc/${pid}/fd`)
  } catch {
    return [] // it ended meanwhile or is not ours to look at: then it holds nothing we could serve from
  }
  return descriptors.flatMap((descriptor) => {
    const match = /^socket:\[([0-9]+)\]$/.exec(readLinkIfThere(`/proc/${pid}/fd/${descriptor}`) ?? '')
    return match?.[1] === undefined ? [] : [{ pid, descriptor, inode: match[1] }]
  })
}

/** True while the process still holds that very socket. */
export function holdsSocket(socket: HeldSocket): boolean {
  return readLinkIfThere(`/proc/${socket.pid}/fd/${socket.descriptor}`) === `socket:[${socket.inode}]`
}

export type Listener = {
  readonly port: number
  /** True for 0.0.0.0 and [::]. */
  readonly everywhere: boolean
  readonly address: string
  readonly inode: string
}

const LISTEN = '0A'

/** Parses /proc/net/tcp or tcp6: addresses are 32-bit words in the byte order of the machine (little endian on both of ours). */
export function parseListeners(text: string): readonly Listener[] {
  const found: Listener[] = []
  for (const line of text.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/)
    if (fields[3] !== LISTEN) continue
    const [addressHex = '', portHex = ''] = (fields[1] ?? '').split(':')
    found.push({
      port: Number.parseInt(portHex, 16),
      everywhere: /^0+$/.test(addressHex),
      address: addressOf(addressHex),
      inode: fields[9] ?? '',
    })
  }
  return found
}

function addressOf(hex: string): string {
  const bytes = [...hex.matchAll(/../g)].map((match) => Number.parseInt(match[0], 16))
  const ordered: number[] = []
  for (let word = 0; word < bytes.length; word += 4) ordered.push(...bytes.slice(word, word + 4).reverse())
  if (ordered.length === 4) return ordered.join('.')
  const mapped = ordered.slice(0, 10).every((byte) => byte === 0) && ordered[10] === 0xff
  if (mapped) return ordered.slice(12).join('.')
  if (ordered.every((byte) => byte === 0)) return '[::]'
  const groups = ordered.flatMap((byte, index) =>
    index % 2 === 0 ? [((byte << 8) | (ordered[index + 1] ?? 0)).toString(16)] : [],
  )
  return `[${groups.join(':')}]`
}

export function listListeners(): readonly Listener[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => parseListeners(readIfThere(path) ?? ''))
}

/** Changes at every boot, so that a pid of an earlier boot is never taken for one of this boot. */
export function readBootId(): string {
  return (readIfThere('/proc/sys/kernel/random/boot_id') ?? 'unknown').trim()
}

/** CPU of the whole machine in ticks, without idle time and waiting for disks. */
export function readMachineCpuTicks(): number {
  const fields =
    (readIfThere('/proc/stat') ?? '').split('\n', 1)[0]?.split(/\s+/).slice(1, 9).map(Number) ?? []
  return fields.reduce((sum, ticks, index) => (index === 3 || index === 4 ? sum : sum + ticks), 0)
}

export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // gone, or not ours to read: both mean "nothing known" to every caller
  }
}

function readLinkIfThere(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined // closed meanwhile
  }
}
