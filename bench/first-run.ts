/*
 * From the start on a fresh data folder to the sample application answering, and what everything takes when it then has nothing
 * to do. Packages are installed; what `npm` itself takes before is not in it.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { cpuMs, type ProcessEntry, proportionalMb, treeOf } from './processes.ts'
import { figure, median, publish } from './report.ts'
import { type Stack, startStack } from './stack.ts'

const ROUNDS = Number(process.argv[2] ?? 3)
const SAMPLE_DEADLINE_MS = 180_000
const SETTLE_MS = 15_000
const IDLE_MS = 10_000
const TARGET_MB = 450

type Round = {
  readonly readyMs: number
  readonly sampleMs: number
  readonly memory: Readonly<Record<string, number>>
  readonly idle: Readonly<Record<string, number>>
}

async function waitForSample(stack: Stack): Promise<number> {
  const deadline = performance.now() + SAMPLE_DEADLINE_MS
  while (performance.now() < deadline) {
    const url = stack.sampleUrl()
    // Not there yet is the normal case here; what counts is the first good answer.
    const answer = url === undefined ? undefined : await fetch(url).catch(() => undefined)
    if (answer?.ok === true) return performance.now() - stack.startedAt
    await sleep(25)
  }
  throw new Error(`the sample application did not answer within ${SAMPLE_DEADLINE_MS} ms`)
}

/** Which part of the product a process belongs to; Instances are the user's. */
function partOf({ command }: ProcessEntry): string {
  if (command.includes('packages/launcher/')) return 'launcher'
  if (command.includes('packages/platform/')) return 'platform'
  if (command.includes('packages/minicluster/')) return 'embedded cluster'
  if (command.includes('postgres')) return 'PostgreSQL'
  return 'sample application'
}

/** Sums a figure of every process by part. A process that ended meanwhile counts as nothing. */
function sumByPart(pid: number, of: (pid: number) => number): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {}
  for (const entry of treeOf(pid)) {
    const part = partOf(entry)
    try {
      sums[part] = (sums[part] ?? 0) + of(entry.pid)
    } catch {
      continue // it ended between the list and the look
    }
  }
  return sums
}

async function measure(): Promise<Round> {
  await using stack = await startStack()
  const sampleMs = await waitForSample(stack)
  await sleep(SETTLE_MS)
  const before = sumByPart(stack.pid, cpuMs)
  await sleep(IDLE_MS)
  const after = sumByPart(stack.pid, cpuMs)
  const idle = Object.fromEntries(
    Object.entries(after).map(([part, used]) => [part, ((used - (before[part] ?? 0)) * 100) / IDLE_MS]),
  )
  return { readyMs: stack.readyMs, sampleMs, memory: sumByPart(stack.pid, proportionalMb), idle }
}

const rounds: Round[] = []
for (let round = 0; round < ROUNDS; round += 1) rounds.push(await measure())

const ours = ['launcher', 'platform', 'embedded cluster', 'PostgreSQL']
const medianOf = (of: (round: Round) => number): string => figure(median(rounds.map(of)))
const row = (what: string, of: (round: Round) => number): string[] => [
  what,
  medianOf(of),
  ...rounds.map((round) => figure(of(round))),
]
const sum = (figures: Readonly<Record<string, number>>): number =>
  ours.reduce((total, part) => total + (figures[part] ?? 0), 0)
const columns = ['', 'median', ...rounds.map((_, index) => `round ${index + 1}`)]
publish({
  name: 'first-run',
  notes: [
    'A fresh data folder and free ports in each round: PostgreSQL is initialized, keys and certificates are made, the sample is built, released and started.',
    `Memory is PSS (shared pages in equal parts) ${SETTLE_MS / 1_000} s after the sample answered; the sum of ours should stay below ${TARGET_MB} MB.`,
  ],
  tables: [
    {
      title: 'Time, s',
      columns,
      rows: [
        row('until the platform answers', ({ readyMs }) => readyMs / 1_000),
        row('until the sample answers', ({ sampleMs }) => sampleMs / 1_000),
      ],
    },
    {
      title: 'Memory when idle, MB',
      columns,
      rows: [
        ...ours.map((part) => row(part, ({ memory }) => memory[part] ?? 0)),
        row('sum', ({ memory }) => sum(memory)),
        row('sample application (not ours)', ({ memory }) => memory['sample application'] ?? 0),
      ],
    },
    {
      title: 'CPU when idle, % of a core',
      columns,
      rows: [
        ...ours.map((part) => row(part, ({ idle }) => idle[part] ?? 0)),
        row('sum', ({ idle }) => sum(idle)),
      ],
    },
  ],
})
