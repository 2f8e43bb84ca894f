import { systemCodeOf } from '@slipway/kit'
import { hasReason, KubeError, type Kube, type Live } from '@slipway/kube'

import { stampedLines } from './lines.ts'
import { secondOf, type Stamp } from '../../../stamp.ts'
import { advanced, containerKey, skipperTo, type Position } from './position.ts'

type Pod = Live<'pods'>

/** A container whose log is read. */
export type Source = {
  readonly key: string
  readonly pod: { readonly name: string; readonly namespace: string; readonly uid: string }
  readonly container: string
}

export function sourcesOf(pod: Pod, container: string | undefined): Source[] {
  const { name, namespace = '', uid } = pod.metadata
  return (pod.spec?.containers ?? [])
    .filter((one) => container === undefined || one.name === container)
    .map((one) => ({
      key: containerKey(uid, one.name),
      pod: { name, namespace, uid },
      container: one.name,
    }))
}

/** What a pod says about a container's log. */
export type LogState = {
  /** It ran at least once, so there is a log. */
  readonly started: boolean
  readonly ended: boolean
  readonly restarts: number
}

export function logStateOf(pod: Pod, container: string): LogState {
  const status = pod.status?.containerStatuses?.find(({ name }) => name === container)
  const restarts = status?.restartCount ?? 0
  const { running, terminated } = status?.state ?? {}
  return {
    started: running !== undefined || terminated !== undefined || restarts > 0,
    ended: running === undefined,
    restarts,
  }
}

/** A line with the position of its reader behind it. */
export type LogEntry = {
  readonly source: Source
  readonly at: Stamp
  readonly text: string
  readonly cut: boolean
  readonly position: Position
}

export type ReadOptions = {
  readonly signal: AbortSignal
  readonly follow: boolean
  readonly state: LogState
  /** Behind what; undefined reads as `tail` and `since` say. */
  readonly position: Position | undefined
  readonly tail?: number | undefined
  readonly since?: Stamp | undefined
}

/**
 * The lines of a container behind a position. When it has restarted since, the log before the restart comes first: what was
 * printed last before a crash is what people look for.
 * @throws {KubeError} but for a container that has no log yet
 */
export async function* readContainerLog(
  kube: Pick<Kube, 'logs'>,
  source: Source,
  options: ReadOptions,
): AsyncGenerator<LogEntry> {
  const { state, position } = options
  let current = position
  const missedRestart = position !== undefined && position.restarts < state.restarts
  const runs = missedRestart ? [{ previous: true, restarts: state.restarts - 1 }] : []
  for (const { previous, restarts } of [...runs, { previous: false, restarts: state.restarts }]) {
    for await (const line of readRun(kube, source, { ...options, position: current, previous })) {
      current = advanced(current, line.at, restarts)
      yield { source, ...line, position: current }
    }
  }
}

/** The log before the last restart. @throws {KubeError} */
export async function* readPreviousLog(
  kube: Pick<Kube, 'logs'>,
  source: Source,
  options: ReadOptions,
): AsyncGenerator<LogEntry> {
  for await (const line of readRun(kube, source, { ...options, position: undefined, previous: true }))
    yield { source, ...line, position: advanced(undefined, line.at, options.state.restarts) }
}

async function* readRun(
  kube: Pick<Kube, 'logs'>,
  source: Source,
  options: ReadOptions & { readonly previous: boolean },
) {
  const { position, since, tail } = options
  const from = latest(position?.at, since)
  const isBehind = skipperTo(position)
  const bytes = await openLog(kube, source, {
    container: source.container,
    timestamps: true,
    follow: options.follow && !options.previous,
    previous: options.previous,
    signal: options.signal,
    ...(from === undefined || from === 0n ? {} : { sinceTime: secondOf(from) }),
    ...(tail === undefined || position !== undefined ? {} : { tailLines: tail }),
  })
  if (!bytes) return
  for await (const line of stampedLines(bytes))
    if ((since === undefined || line.at >= since) && isBehind(line.at)) yield line
}

function latest(one: Stamp | undefined, other: Stamp | undefined): Stamp | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return one > other ? one : other
}

/** The answers of a node that has no log (any more, or yet) are no errors of the reader. */
async function openLog(kube: Pick<Kube, 'logs'>, source: Source, options: Parameters<Kube['logs']>[1]) {
  try {
    return await kube.logs({ namespace: source.pod.namespace, name: source.pod.name }, options)
  } catch (thrown) {
    if (hasReason(thrown, 'BadRequest') || hasReason(thrown, 'NotFound')) return undefined
    throw thrown
  }
}

/** Whether a failed reading is worth another try: the connection broke, or the Cluster is busy. */
export function isPassing(thrown: unknown): boolean {
  // A log that had begun breaks as its connection does.
  if (systemCodeOf(thrown) === 'ECONNRESET') return true
  return thrown instanceof KubeError && (thrown.code === 0 || thrown.code === 429 || thrown.code >= 500)
}
