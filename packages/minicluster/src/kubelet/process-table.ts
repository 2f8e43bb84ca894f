/*
 * Whose process is that? Four signs, strongest last wins nothing: any one is enough. The environment marker (inherited by every
 * child), a parent that is a member, the session of a known wrapper, and, as root, the uid that only one pod has. A process seen
 * once as a member stays one, so a daemon that clears its environment and leaves its session later is still found.
 * What has no sign is asked again while it is young: between fork and exec a child still shows its parent's environment.
 */
import { spawn } from 'node:child_process'

import { messageOf, type Clock } from '@slipway/kit'

import type { Log } from '../model.ts'
import { findMarker, findUid, isDead, listProcesses, type ProcessInfo } from './proc.ts'

export type Member = ProcessInfo & { readonly marker: string }

export type ProcessTable = {
  /** Reads /proc afresh and returns the living processes of this agent. */
  readonly scan: () => readonly Member[]
  /** The living members whose marker satisfies `matches`, by the last scan if it is younger than `maxAgeMs`. */
  readonly members: (matches: (marker: string) => boolean, maxAgeMs?: number) => readonly Member[]
  /** Says that the session of this wrapper belongs to `marker`. */
  readonly adoptSession: (sessionId: number, marker: string) => void
  /** Says that every process of this uid belongs to `marker`; undefined ends that. */
  readonly claimUid: (uid: number, marker: string | undefined) => void
  /** Kills matching processes until none is left; returns how many resisted (0 unless the kernel hangs on to one). */
  readonly killAll: (matches: (marker: string) => boolean, uid?: number) => Promise<number>
}

const YOUNG_TICKS = 500
const KILL_ROUNDS = 200
const KILL_PAUSE_MS = 20
/** From this round on a uid of its own is ended in one stroke, which no fork can outrun. */
const KILL_BY_UID_ROUND = 3

type Known = { readonly startTicks: number; readonly marker: string | undefined; readonly settled: boolean }

export function createProcessTable(options: {
  readonly agentId: string
  readonly clock: Clock
  readonly log: Log
}): ProcessTable {
  const { agentId, clock, log } = options
  const prefix = `${agentId}.`
  const sessions = new Map<number, string>()
  const uids = new Map<number, string>()
  let known = new Map<number, Known>()
  let last: { readonly atMs: number; readonly members: readonly Member[] } = { atMs: -Infinity, members: [] }

  function markerOfProcess(info: ProcessInfo): string | undefined {
    const bySession = sessions.get(info.sessionId)
    if (bySession !== undefined) return bySession
    const byEnvironment = findMarker(info.pid)
    if (byEnvironment?.startsWith(prefix)) return byEnvironment
    if (uids.size === 0) return undefined
    const uid = findUid(info.pid)
    return uid === undefined ? undefined : uids.get(uid)
  }

  function scan(): readonly Member[] {
    const processes = listProcesses()
    const newestTicks = processes.reduce((newest, info) => Math.max(newest, info.startTicks), 0)
    const next = new Map<number, Known>()
    for (const info of processes) {
      const before = known.get(info.pid)
      const same = before !== undefined && before.startTicks === info.startTicks
      if (same && (before.settled || isDead(info))) {
        next.set(info.pid, before)
        continue
      }
      const marker = isDead(info) ? undefined : markerOfProcess(info)
      const settled = marker !== undefined || newestTicks - info.startTicks > YOUNG_TICKS
      next.set(info.pid, { startTicks: info.startTicks, marker, settled })
    }
    const markers = inheritMarkers(processes, next)
    known = next
    const members = processes.flatMap((info) => {
      const marker = markers.get(info.pid)
      return marker === undefined || isDead(info) ? [] : [{ ...info, marker }]
    })
    last = { atMs: clock.monotonicMs(), members }
    return members
  }

  function members(matches: (marker: string) => boolean, maxAgeMs = 0): readonly Member[] {
    const all = clock.monotonicMs() - last.atMs < maxAgeMs ? last.members : scan()
    return all.filter((member) => matches(member.marker))
  }

  async function killAll(matches: (marker: string) => boolean, uid?: number): Promise<number> {
    for (let round = 0; ; round += 1) {
      const found = scan().filter((member) => matches(member.marker))
      if (found.length === 0) return 0
      if (round === KILL_ROUNDS) {
        log('error', 'processes of an ended container resist SIGKILL', {
          pids: found.map((info) => info.pid),
        })
        return found.length
      }
      killGroups(found)
      if (uid !== undefined && round >= KILL_BY_UID_ROUND) await killUid(uid, log)
      await clock.sleep(KILL_PAUSE_MS)
    }
  }

  return {
    scan,
    members,
    adoptSession: (sessionId, marker) => void sessions.set(sessionId, marker),
    claimUid(uid, marker) {
      if (marker === undefined) uids.delete(uid)
      else uids.set(uid, marker)
    },
    async killAll(matches, uid) {
      const left = await killAll(matches, uid)
      if (left === 0) for (const [session, marker] of sessions) if (matches(marker)) sessions.delete(session)
      return left
    },
  }
}

/** Gives children without a sign the marker of their nearest marked ancestor. */
function inheritMarkers(processes: readonly ProcessInfo[], known: Map<number, Known>): Map<number, string> {
  const byPid = new Map(processes.map((info) => [info.pid, info]))
  const markers = new Map<number, string>()
  function markerOf(info: ProcessInfo, depth: number): string | undefined {
    const own = markers.get(info.pid) ?? known.get(info.pid)?.marker
    if (own !== undefined) return own
    const parent = byPid.get(info.parentPid)
    return parent === undefined || parent.pid <= 1 || depth > 64 ? undefined : markerOf(parent, depth + 1)
  }
  for (const info of processes) {
    const marker = markerOf(info, 0)
    if (marker === undefined) continue
    markers.set(info.pid, marker)
    known.set(info.pid, { startTicks: info.startTicks, marker, settled: true })
  }
  return markers
}

/** A group dies in one stroke, so a fork within it cannot escape; then whoever made itself another group. */
function killGroups(members: readonly Member[]): void {
  const pids = new Set(members.map((member) => member.pid))
  const groups = new Set(members.map((member) => member.groupId).filter((group) => pids.has(group)))
  for (const group of groups) sendSignal(-group, 'SIGKILL')
  for (const member of members) if (!groups.has(member.groupId)) sendSignal(member.pid, 'SIGKILL')
}

/** Sends a signal; a process that has ended meanwhile is no error. Returns whether somebody got it. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch {
    return false // ESRCH: it ended; EPERM: a zombie's group or a changed uid, which the next scan shows
  }
}

/** `kill -9 -1` as that uid: the kernel signals all its processes while no fork can run. */
function killUid(uid: number, log: Log): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', 'kill -9 -1'], {
      uid,
      gid: uid,
      stdio: 'ignore',
      cwd: '/',
      env: {},
    })
    child.once('error', (error) => {
      log('warn', 'could not end a uid in one stroke', { uid, error: messageOf(error) })
      resolve()
    })
    child.once('exit', () => resolve())
  })
}

/** The application below a wrapper: `depth` levels of isolation further down, always the oldest child. */
export function findApplication(
  members: readonly ProcessInfo[],
  wrapperPid: number,
  depth: number,
): number | undefined {
  let pid = wrapperPid
  for (let level = 0; level <= depth; level += 1) {
    const children = members.filter((info) => info.parentPid === pid && !isDead(info))
    const oldest = children.sort((a, b) => a.startTicks - b.startTicks || a.pid - b.pid)[0]
    if (!oldest) return undefined
    pid = oldest.pid
  }
  return pid
}
