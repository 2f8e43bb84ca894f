/*
 * How the engine sees a Workload's objects. Most passes find nothing to do, and that is found in what the watches hold: no
 * request is made. Whatever is to be written is decided upon what the Cluster itself says at that moment, so a watch that is
 * behind costs a look and never a wrong step. What this process wrote must be in the watch before it is believed again, and
 * while a release is under way it is not believed for long, nor by a leader that has not looked yet.
 */
import { SECOND_MS } from '@slipway/kit'

import type { ControlContext } from '../../control/index.ts'
import type { Workload } from '../app/index.ts'
import type { ClusterConnection } from '../fleet/index.ts'
import type { Wrote } from './apply.ts'
import { keyOf, known, observe, type Seen } from './observe.ts'

/** How long a release under way goes by what the watches hold, in ms: a stream may be silent without being broken. */
const BELIEF_MS = 15 * SECOND_MS
const WORKLOADS_MAX = 50_000

/** What the engine remembers of a Workload between passes. */
type Trust = {
  epoch: number
  lookedAtMs: number
  isDoubted: boolean
  /** What it wrote and the watch has not shown yet, by `<resource>/<name>`. */
  readonly written: Map<string, Wrote>
}

export type Looks = {
  /** What the watches hold, if that may be believed; undefined otherwise. */
  readonly remembered: (about: About) => Seen | undefined
  /** What the Cluster says now. */
  readonly asked: (about: About) => Promise<Seen>
  readonly wrote: (workloadId: string, what: Wrote) => void
  /** A write's answer was lost: nothing is believed before the next look. */
  readonly doubt: (workloadId: string) => void
}

type About = {
  readonly context: ControlContext
  readonly connection: ClusterConnection
  readonly workload: Workload
  /** A release is under way. */
  readonly isActive: boolean
}

export function looks(): Looks {
  const trusts = new Map<string, Trust>()

  return {
    remembered({ context, connection, workload, isActive }) {
      const trust = trusts.get(workload.id)
      const { epoch, clock } = context
      // A Workload at rest is looked at by whoever sees it first; a release only by who has asked the Cluster itself.
      if (trust?.isDoubted === true) return undefined
      if (isActive && (trust?.epoch !== epoch || clock.monotonicMs() - trust.lookedAtMs >= BELIEF_MS))
        return undefined
      const seen = known(connection, workload)
      return seen && hasLanded(seen, trust) ? seen : undefined
    },
    async asked({ context, connection, workload }) {
      const lookedAtMs = context.clock.monotonicMs()
      const seen = await observe(connection.kube, workload, {
        hasGateway: connection.gateway !== undefined,
        signal: context.signal,
      })
      if (trusts.size >= WORKLOADS_MAX) trusts.clear()
      const written = trusts.get(workload.id)?.written ?? new Map<string, Wrote>()
      // What is gone by the Cluster's own word never shows in the watch.
      const there = new Set(seen.objects.map(keyOf))
      for (const [key, { version }] of written)
        if (version !== undefined && !there.has(key)) written.delete(key)
      trusts.set(workload.id, { epoch: context.epoch, lookedAtMs, isDoubted: false, written })
      return seen
    },
    wrote: (workloadId, what) => void trusts.get(workloadId)?.written.set(what.key, what),
    doubt(workloadId) {
      const trust = trusts.get(workloadId)
      if (trust) trust.isDoubted = true
    },
  }
}

/** Whether the watch shows everything that was written; what it shows is forgotten. */
function hasLanded(seen: Seen, trust: Trust | undefined): boolean {
  if (trust === undefined || trust.written.size === 0) return true
  const objects = new Map(seen.objects.map((one) => [keyOf(one), one.object.metadata]))
  for (const [key, { version, uid }] of trust.written) {
    const found = objects.get(key)
    const isThere =
      version === undefined
        ? found?.uid !== uid || found.deletionTimestamp !== undefined
        : found !== undefined && isAtLeast(found.resourceVersion, version)
    if (isThere) trust.written.delete(key)
  }
  return trust.written.size === 0
}

/** Versions of one resource rise as whole numbers; one that does not look so is only ever equal to itself. */
function isAtLeast(version: string, other: string): boolean {
  const isNumber = /^\d{1,30}$/u
  if (!isNumber.test(version) || !isNumber.test(other)) return version === other
  return BigInt(version) >= BigInt(other)
}
