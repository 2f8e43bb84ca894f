/** CPU and memory of containers and of the machine, from samples of /proc. */
import { freemem, totalmem } from 'node:os'

import type { Clock } from '@slipway/kit'

import type { Usage } from '../model.ts'
import { findPssBytes, readIfThere, readMachineCpuTicks, TICKS_PER_SECOND } from './proc.ts'
import type { Member } from './process-table.ts'

type Sample = { readonly atMs: number; readonly ticks: number }

/** Rates are taken over at least this long, unless there is nothing older. */
const WINDOW_MS = 10_000
const KEEP_MS = 30_000

export type Meter = {
  /** Notes the CPU of every container; call it at every scan. */
  readonly sample: (members: readonly Member[]) => void
  /** Cores a container used lately. */
  readonly cpuCores: (marker: string) => number
  readonly node: () => Usage
}

export function createMeter(clock: Clock): Meter {
  const series = new Map<string, { total: number; lastSum: number; samples: Sample[] }>()
  let machine: Sample[] = [{ atMs: clock.monotonicMs(), ticks: readMachineCpuTicks() }]

  function sample(members: readonly Member[]): void {
    const atMs = clock.monotonicMs()
    const sums = new Map<string, number>()
    for (const member of members) sums.set(member.marker, (sums.get(member.marker) ?? 0) + member.cpuTicks)
    for (const [marker, sum] of sums) {
      const entry = series.get(marker) ?? { total: 0, lastSum: 0, samples: [{ atMs: atMs - 1, ticks: 0 }] }
      // The sum falls when a process ends that nobody waited for; what was counted stays counted.
      entry.total += Math.max(0, sum - entry.lastSum)
      entry.lastSum = sum
      entry.samples = keepRecent([...entry.samples, { atMs, ticks: entry.total }], atMs)
      series.set(marker, entry)
    }
    for (const marker of series.keys()) if (!sums.has(marker)) series.delete(marker)
    machine = keepRecent([...machine, { atMs, ticks: readMachineCpuTicks() }], atMs)
  }

  return {
    sample,
    cpuCores: (marker) => rateOf(series.get(marker)?.samples ?? []),
    node() {
      const atMs = clock.monotonicMs()
      machine = keepRecent([...machine, { atMs, ticks: readMachineCpuTicks() }], atMs)
      return { cpuCores: rateOf(machine), memoryBytes: usedMemoryBytes() }
    },
  }
}

function keepRecent(samples: readonly Sample[], nowMs: number): Sample[] {
  return samples.filter((sample, index) => nowMs - sample.atMs <= KEEP_MS || index === samples.length - 1)
}

/** Cores between the newest sample and the youngest one that is at least a window older (else the oldest). */
export function rateOf(samples: readonly Sample[]): number {
  const newest = samples.at(-1)
  if (!newest) return 0
  const before = samples.findLast((sample) => newest.atMs - sample.atMs >= WINDOW_MS) ?? samples[0]
  if (!before || before.atMs >= newest.atMs) return 0
  return ((newest.ticks - before.ticks) / TICKS_PER_SECOND / (newest.atMs - before.atMs)) * 1_000
}

function usedMemoryBytes(): number {
  const match = /^MemAvailable:\s+([0-9]+) kB/m.exec(readIfThere('/proc/meminfo') ?? '')
  return totalmem() - (match ? Number(match[1]) * 1_024 : freemem())
}

/** Memory of some processes: shared pages are divided among those who share them, where the kernel tells. */
export function memoryOf(members: readonly Member[], pageBytes: number): number {
  return members.reduce((sum, member) => sum + (findPssBytes(member.pid) ?? member.rssPages * pageBytes), 0)
}

/** A quick upper bound of `memoryOf`. */
export function residentBytes(members: readonly Member[], pageBytes: number): number {
  return members.reduce((sum, member) => sum + member.rssPages * pageBytes, 0)
}
