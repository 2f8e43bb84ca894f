import { WorkloadTemplate, type AppManifest, type Process } from '@slipway/contract'
import { DAY_MS, isRecord, unreachable } from '@slipway/kit'

import {
  ATTEMPTS_MAX,
  BUILDS_IN_ALL,
  BUILDS_PER_PROJECT,
  type Build,
  type BuildLimits,
  type Language,
  type Reason,
  type Report,
} from './model.ts'

/*
 * Decisions of a build, from facts: which language, what runs, who comes next, and what a Job's end means.
 */

/** What a commit holds, as far as building it needs to know. */
export type TreeFacts = {
  readonly manifest: AppManifest
  readonly names: readonly string[]
  readonly packageJson: string | undefined
}

export type Settled =
  | {
      readonly ok: true
      readonly language: Language
      readonly base: string
      readonly template: WorkloadTemplate
    }
  | { readonly ok: false; readonly reason: Reason }

const markers: readonly (readonly [name: string, language: Language])[] = [
  ['package.json', 'node'],
  ['requirements.txt', 'python'],
  ['pyproject.toml', 'python'],
  ['pom.xml', 'java'],
  ['index.html', 'static'],
]

/** The file that serves a static site on a base that brings no server of its own. */
export const STATIC_SERVER = '.slipway/static-server.mjs'

/** Language, base and every process's command, before anything is built. */
export function settle(tree: TreeFacts, processRuntime: boolean): Settled {
  const { build, processes, pool } = tree.manifest
  const language = build.language ?? detect(tree.names)
  if (language === undefined) return failed('build_nothing_detected')
  const base = build.base ?? (processRuntime ? `host/${language}` : defaultBaseOf(language))
  if (base.startsWith('host/') && !processRuntime)
    return failed('build_host_base', { base: defaultBaseOf(language) })
  const start = startCommand(tree, language, base)
  const stop = tree.names.includes('stop.sh') ? ['sh', 'stop.sh'] : undefined
  const all = Object.entries(processes)
  const settled: Record<string, Process> = {}
  for (const [name, process] of all) {
    const isDefault = process.kind === 'web' || all.length === 1
    const command = process.command ?? (isDefault ? start : undefined)
    if (command === undefined) return failed('build_command_missing', { process: name })
    settled[name] = { ...process, command, ...(process.stop === undefined && stop ? { stop } : {}) }
  }
  return { ok: true, language, base, template: WorkloadTemplate.parse({ processes: settled, pool }) }
}

/** Where containers run. A static site is served by a small program of ours, which Node runs. */
function defaultBaseOf(language: Language): string {
  return `base/${language === 'static' ? 'node' : language}:latest`
}

/** Another base brings a server of its own, and slipway.yaml says how it starts. */
function servesStatic(base: string): boolean {
  return base.startsWith('host/') || base === defaultBaseOf('static')
}

/** An image of the common registries that fits as a base, for people who have none yet. */
export function exampleBase(name: string): string {
  const language = /^base\/([a-z]+)/u.exec(name)?.[1] ?? ''
  return examples[language] ?? 'node:24-bookworm'
}

const examples: Readonly<Record<string, string>> = {
  python: 'python:3.13-bookworm',
  java: 'eclipse-temurin:21',
  build: 'node:24-bookworm',
  node: 'node:24-bookworm-slim',
}

function failed(code: string, params: Reason['params'] = {}): Settled {
  return { ok: false, reason: { code, params } }
}

function detect(names: readonly string[]): Language | undefined {
  return markers.find(([name]) => names.includes(name))?.[1]
}

function startCommand(tree: TreeFacts, language: Language, base: string): string[] | undefined {
  if (tree.names.includes('start.sh')) return ['sh', 'start.sh']
  const first = (...candidates: readonly string[]): string | undefined =>
    candidates.find((name) => tree.names.includes(name))
  switch (language) {
    case 'node':
      return (
        nodeCommand(tree.packageJson) ??
        commandOf('node', first('server.js', 'server.mjs', 'index.js', 'index.mjs', 'app.js', 'main.js'))
      )
    case 'python':
      return commandOf('python3', first('main.py', 'app.py', 'server.py'))
    case 'java':
      return ['java', '-jar', 'app.jar']
    case 'static':
      return servesStatic(base) ? ['node', STATIC_SERVER] : undefined
    default:
      return unreachable(language)
  }
}

function commandOf(program: string, file: string | undefined): string[] | undefined {
  return file === undefined ? undefined : [program, file]
}

/** `npm start` as what it runs, where that is plain: a process that gets its own signals. */
function nodeCommand(text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    // The build itself says that package.json is broken, with its place in the log.
    return undefined
  }
  if (!isRecord(document)) return undefined
  const start = isRecord(document['scripts']) ? document['scripts']['start'] : undefined
  if (typeof start === 'string') {
    const words = start.trim().split(/\s+/u)
    const isPlain = /^node(?: [A-Za-z0-9@%+=:,./_-]+)+$/u.test(words.join(' ')) && words.length <= 64
    return isPlain ? words : ['npm', 'start']
  }
  const { main } = document
  return typeof main === 'string' && /^[A-Za-z0-9_./-]{1,200}$/u.test(main) ? ['node', main] : undefined
}

/** Whether a waiting build may begin: older ones go first, a Project takes so many places, the installation so many. */
export function mayBegin(
  build: Pick<Build, 'id' | 'projectId'>,
  open: readonly Pick<Build, 'id' | 'projectId' | 'state'>[],
): boolean {
  const running = open.filter(({ state }) => state !== 'Queued')
  const perProject = new Map<string, number>()
  for (const { projectId } of running) perProject.set(projectId, (perProject.get(projectId) ?? 0) + 1)
  let places = BUILDS_IN_ALL - running.length
  for (const waiting of open) {
    if (waiting.state !== 'Queued') continue
    if (places <= 0) return false
    const taken = perProject.get(waiting.projectId) ?? 0
    // A Project that is full does not hold up the others.
    if (taken >= BUILDS_PER_PROJECT) continue
    if (waiting.id === build.id) return true
    perProject.set(waiting.projectId, taken + 1)
    places -= 1
  }
  return false
}

/** What the Cluster says about a Job. */
export type JobFacts =
  | { readonly kind: 'absent' }
  | { readonly kind: 'running'; readonly progress: string }
  | { readonly kind: 'complete' }
  | {
      readonly kind: 'failed'
      /** Of the Job's condition, such as DeadlineExceeded. */
      readonly jobReason: string
      readonly podReason: string
      readonly podMessage: string
      readonly exitCode: number | undefined
    }

export type Verdict =
  | { readonly kind: 'wait'; readonly progress: string }
  | { readonly kind: 'makeJob' }
  | { readonly kind: 'again' }
  | { readonly kind: 'fail'; readonly reason: Reason }

/** Decides about a build whose Job should run. `isReceiving`: its package is coming in right now. */
export function judge(
  build: Pick<Build, 'jobMade' | 'attempt' | 'report' | 'manifest'>,
  facts: JobFacts,
  isReceiving: boolean,
  limits: BuildLimits,
): Verdict {
  const lost: Verdict =
    build.attempt >= ATTEMPTS_MAX
      ? { kind: 'fail', reason: { code: 'build_lost', params: {} } }
      : { kind: 'again' }
  switch (facts.kind) {
    case 'absent':
      return build.jobMade ? lost : { kind: 'makeJob' }
    case 'running':
      return { kind: 'wait', progress: isReceiving ? 'publishing' : facts.progress }
    case 'complete':
      return isReceiving
        ? { kind: 'wait', progress: 'publishing' }
        : { kind: 'fail', reason: { code: 'build_no_package', params: {} } }
    case 'failed':
      return judgeFailure(build, facts, lost, limits)
    default:
      return unreachable(facts)
  }
}

/** SIGTERM: no build sends it to itself. A node that is shut down does, Slipway's own too: the commit is not to blame. */
const ENDED_FROM_OUTSIDE = 143

function judgeFailure(
  build: Pick<Build, 'report' | 'manifest'>,
  facts: JobFacts & { kind: 'failed' },
  lost: Verdict,
  limits: BuildLimits,
): Verdict {
  const fail = (code: string, params: Reason['params'] = {}): Verdict => ({
    kind: 'fail',
    reason: { code, params },
  })
  if (facts.jobReason === 'DeadlineExceeded')
    return fail('build_timeout', { seconds: build.manifest?.build.timeoutSeconds ?? 0 })
  if (facts.podReason === 'OOMKilled') return fail('build_out_of_memory', { limit: limits.memory })
  if (facts.podReason === 'TooManyProcesses')
    return fail('build_too_many_processes', { limit: limits.processes })
  if (facts.podReason === 'Evicted')
    return /storage|emptydir|disk/iu.test(facts.podMessage)
      ? fail('build_out_of_disk', { limit: limits.disk })
      : lost
  const exitCode = build.report?.exitCode ?? facts.exitCode
  if (exitCode === ENDED_FROM_OUTSIDE && lost.kind === 'again') return lost
  if (build.report !== null) return judgeReport(build.report, lost)
  if (facts.exitCode !== undefined)
    return fail('build_command_failed', { exitCode: facts.exitCode, problem: '' })
  if (facts.podMessage !== '') return fail('build_not_started', { problem: facts.podMessage.slice(0, 300) })
  return lost
}

function judgeReport(report: Report, lost: Verdict): Verdict {
  const problem = report.message.slice(0, 300)
  const params = { exitCode: report.exitCode, problem }
  const isOwn = report.phase === 'command' || report.phase === 'output'
  if (isOwn) return { kind: 'fail', reason: { code: 'build_command_failed', params } }
  // The network's fault or ours: worth another Job, once.
  return lost.kind === 'again' ? lost : { kind: 'fail', reason: { code: 'build_transfer_failed', params } }
}

/** What is known about the cache of an Application. */
export type CacheUse = { readonly id: string; readonly sizeBytes: number; readonly usedAt: Date }

const CACHE_UNUSED_DAYS = 30

/** Caches to remove: of Applications that are no more, not used for long, and used least lately until the rest fits. */
export function cachesToRemove(
  caches: readonly CacheUse[],
  existing: ReadonlySet<string>,
  now: Date,
  maxBytes: number,
): readonly string[] {
  const surplus: string[] = []
  let sumBytes = 0
  for (const { id, sizeBytes, usedAt } of caches.toSorted(
    (a, b) => b.usedAt.getTime() - a.usedAt.getTime(),
  )) {
    const isOld = now.getTime() - usedAt.getTime() > CACHE_UNUSED_DAYS * DAY_MS
    const isKept = existing.has(id) && !isOld && sumBytes + sizeBytes <= maxBytes
    if (isKept) sumBytes += sizeBytes
    else surplus.push(id)
  }
  return surplus
}
