/*
 * The logs of many containers as one stream. First what is there, merged by time; then every container is followed from where
 * that ended, by a reader of its own that goes on over restarts and broken connections. Pods are looked at again every second,
 * so Instances that start later join. Between the readers and whoever listens stands a bounded channel.
 */
import { LOG_INSTANCES_MAX, type LogLine } from '@slipway/contract'
import { errorOf, SECOND_MS, type Clock } from '@slipway/kit'
import type { Kube, Live } from '@slipway/kube'

import { instanceIdOf } from '../model.ts'
import { channelOf, type Channel } from './channel.ts'
import {
  isPassing,
  logStateOf,
  readContainerLog,
  readPreviousLog,
  sourcesOf,
  type LogEntry,
  type Source,
} from './container-log.ts'
import { stampText, type Stamp } from '../../../stamp.ts'
import { atBeginning, encodePositions, type Position } from './position.ts'

type Pod = Live<'pods'>

export type LogEvent =
  | { readonly id: string; readonly event: 'lines'; readonly data: readonly LogLine[] }
  | { readonly id: string; readonly event: 'position'; readonly data: Readonly<Record<string, never>> }
  | { readonly event: 'limited'; readonly data: { readonly shown: number; readonly of: number } }

export type LogRequest = {
  readonly workloadId: string
  readonly container: string | undefined
  readonly since: Stamp | undefined
  readonly tail: number | undefined
  readonly follow: boolean
  readonly previous: boolean
  readonly filter: string | undefined
  /** Where a reader that comes back stands. */
  readonly resume: ReadonlyMap<string, Position> | undefined
}

export type LogDeps = {
  readonly kube: Pick<Kube, 'logs'>
  readonly clock: Clock
  readonly signal: AbortSignal
  /** The pods in question now, in no order. @throws when nobody knows */
  readonly pods: () => Promise<readonly Pod[]>
  /** Resolves when the listener can take more. */
  readonly send: (event: LogEvent) => Promise<void>
}

const CAPACITY = 2_000
const BATCH_LINES = 200
const LOOK_MS = SECOND_MS
const AGAIN_MS = 500
/** How long a Cluster may stay silent before the stream gives up. */
const SILENCE_MAX_MS = 15 * SECOND_MS

type Stream = {
  readonly deps: LogDeps
  readonly request: LogRequest
  /** Newest look at each pod, by uid. */
  pods: ReadonlyMap<string, Pod>
  /** What the listener has been sent. */
  readonly sent: Map<string, Position>
  readonly signal: AbortSignal
}

/** Sends until there is nothing more (without follow), or until the signal. @throws {KubeError} */
export async function streamLogs(deps: LogDeps, request: LogRequest): Promise<void> {
  const stop = new AbortController()
  const stream: Stream = {
    deps,
    request,
    pods: new Map(),
    sent: new Map(request.resume),
    signal: AbortSignal.any([deps.signal, stop.signal]),
  }
  try {
    await look(stream, true)
    const sources = [...stream.pods.values()].flatMap((pod) => sourcesOf(pod, request.container))
    await sendHistory(stream, sources)
    if (request.follow && !request.previous) await followAll(stream)
  } finally {
    stop.abort(new Error('nobody reads this log any more'))
  }
}

async function look(stream: Stream, isFirst: boolean): Promise<void> {
  const all = await stream.deps.pods()
  const newest = all
    .toSorted(
      (a, b) => createdOf(b).localeCompare(createdOf(a)) || a.metadata.name.localeCompare(b.metadata.name),
    )
    .slice(0, LOG_INSTANCES_MAX)
  if (isFirst && newest.length < all.length)
    await stream.deps.send({ event: 'limited', data: { shown: newest.length, of: all.length } })
  stream.pods = new Map(newest.map((pod) => [pod.metadata.uid, pod]))
}

function createdOf(pod: Pod): string {
  return pod.metadata.creationTimestamp ?? ''
}

/** What is there already, merged by time. Afterwards every source has a position, if only that of an empty log. */
async function sendHistory(stream: Stream, sources: readonly Source[]): Promise<void> {
  const channel = channelOf<LogEntry>(CAPACITY)
  const sending = sendFrom(stream, channel)
  sending.catch(() => channel.close())
  try {
    for await (const entry of merged(sources.map((source) => history(stream, source))))
      await channel.push(entry)
    channel.close()
  } catch (thrown) {
    channel.fail(errorOf(thrown))
  }
  await sending
  for (const source of sources)
    if (!stream.sent.has(source.key)) stream.sent.set(source.key, emptyPosition(stream, source))
  if (stream.request.follow)
    await stream.deps.send({ id: encodePositions(stream.sent), event: 'position', data: {} })
}

function emptyPosition(stream: Stream, source: Source): Position {
  const pod = stream.pods.get(source.pod.uid)
  return { ...atBeginning, restarts: pod ? logStateOf(pod, source.container).restarts : 0 }
}

async function* history(stream: Stream, source: Source): AsyncGenerator<LogEntry> {
  const { deps, request } = stream
  const pod = stream.pods.get(source.pod.uid)
  if (!pod) return
  const state = logStateOf(pod, source.container)
  const position = startOf(stream, source)
  const common = { signal: stream.signal, follow: false, state, position, since: request.since }
  if (request.previous) {
    if (state.restarts > 0) yield* readPreviousLog(deps.kube, source, { ...common, tail: request.tail })
    return
  }
  if (!state.started) return
  // Of a log without its lines at least the last one must be known, or following could not begin behind it.
  const tail = request.tail === 0 ? 1 : request.tail
  for await (const entry of readContainerLog(deps.kube, source, { ...common, tail })) {
    if (request.tail === 0 && position === undefined) stream.sent.set(source.key, entry.position)
    else yield entry
  }
}

/** A reader that came back gets Instances it has never seen from their beginning. */
function startOf(stream: Stream, source: Source): Position | undefined {
  return stream.sent.get(source.key) ?? (stream.request.resume ? atBeginning : undefined)
}

/** Takes from all, always the earliest line. */
async function* merged(generators: readonly AsyncGenerator<LogEntry>[]): AsyncGenerator<LogEntry> {
  type Head = { readonly generator: AsyncGenerator<LogEntry>; entry: LogEntry }
  try {
    const first = await Promise.all(
      generators.map(async (generator): Promise<Head | undefined> => {
        const { value, done } = await generator.next()
        return done === true ? undefined : { generator, entry: value }
      }),
    )
    const heads = first.filter((head) => head !== undefined)
    for (;;) {
      let earliest: Head | undefined
      for (const head of heads) if (!earliest || head.entry.at < earliest.entry.at) earliest = head
      if (!earliest) return
      yield earliest.entry
      const { value, done } = await earliest.generator.next()
      if (done === true) heads.splice(heads.indexOf(earliest), 1)
      else earliest.entry = value
    }
  } finally {
    await Promise.allSettled(generators.map((generator) => generator.return(undefined)))
  }
}

async function sendFrom(stream: Stream, channel: Channel<LogEntry>): Promise<void> {
  const { request, deps, sent } = stream
  for (;;) {
    const entries = await channel.take(BATCH_LINES)
    if (!entries) return
    for (const { source, position } of entries) sent.set(source.key, position)
    const lines = entries
      .filter(({ text }) => request.filter === undefined || text.includes(request.filter))
      .map((entry) => lineOf(request.workloadId, entry))
    if (lines.length > 0) await deps.send({ id: encodePositions(sent), event: 'lines', data: lines })
  }
}

function lineOf(workloadId: string, { source, at, text, cut }: LogEntry): LogLine {
  return {
    instance: instanceIdOf(workloadId, source.pod.name),
    container: source.container,
    at: stampText(at),
    text,
    ...(cut ? { cut } : {}),
  }
}

async function followAll(stream: Stream): Promise<void> {
  const channel = channelOf<LogEntry>(CAPACITY)
  const readers = new Set<string>()
  const onAbort = (): void => channel.close()
  stream.signal.addEventListener('abort', onAbort, { once: true })
  const join = (): void => {
    for (const pod of stream.pods.values())
      for (const source of sourcesOf(pod, stream.request.container)) {
        if (readers.has(source.key)) continue
        readers.add(source.key)
        followSource(stream, source, channel)
          .catch((thrown: unknown) => {
            if (!stream.signal.aborted) channel.fail(errorOf(thrown))
          })
          .finally(() => readers.delete(source.key))
      }
    // A pod never comes back, so what is known about one that is gone is of no more use.
    const present = new Set(
      [...stream.pods.values()].flatMap((pod) => sourcesOf(pod, undefined).map(({ key }) => key)),
    )
    for (const key of stream.sent.keys()) if (!present.has(key) && !readers.has(key)) stream.sent.delete(key)
  }
  join()
  const looking = keepLooking(stream, join).catch((thrown: unknown) => channel.fail(errorOf(thrown)))
  try {
    await sendFrom(stream, channel)
  } finally {
    channel.close()
    stream.signal.removeEventListener('abort', onAbort)
  }
  stream.signal.throwIfAborted()
  await looking
}

async function keepLooking(stream: Stream, join: () => void): Promise<void> {
  const { clock } = stream.deps
  let heardAtMs = clock.monotonicMs()
  while (!stream.signal.aborted) {
    await clock.sleep(LOOK_MS, stream.signal).catch(() => undefined)
    if (stream.signal.aborted) return
    try {
      await look(stream, false)
      heardAtMs = clock.monotonicMs()
    } catch (thrown) {
      if (clock.monotonicMs() - heardAtMs > SILENCE_MAX_MS) throw thrown
      continue
    }
    join()
  }
}

/** Reads one container to its end, over restarts of it and breaks of the connection. */
async function followSource(stream: Stream, source: Source, channel: Channel<LogEntry>): Promise<void> {
  const { deps, request, signal } = stream
  let position = stream.sent.get(source.key) ?? atBeginning
  /** The run that was read to its end. */
  let complete: number | undefined
  while (!signal.aborted) {
    const pod = stream.pods.get(source.pod.uid)
    if (!pod) return
    const state = logStateOf(pod, source.container)
    if (!state.started || complete === state.restarts) {
      await deps.clock.sleep(AGAIN_MS, signal)
      continue
    }
    try {
      const options = { signal, follow: true, state, position, since: request.since }
      for await (const entry of readContainerLog(deps.kube, source, options)) {
        position = entry.position
        await channel.push(entry)
      }
      // Read to the end after it had ended: nothing more comes from this run.
      if (state.ended) complete = state.restarts
    } catch (thrown) {
      signal.throwIfAborted()
      if (!isPassing(thrown)) throw thrown
    }
    await deps.clock.sleep(AGAIN_MS, signal)
  }
}
