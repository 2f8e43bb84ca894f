import { parseJson, retryDelayMs } from '@slipway/kit'

import { ApiError, localError } from './error.ts'
import type { Prepared } from './prepare.ts'
import { chunksOf, refusalFrom, send, type Transport } from './send.ts'
import type { CallOptions } from './types.ts'

/*
 * Server-sent events (WHATWG HTML, "Server-sent events"), read with fetch because EventSource can carry no token.
 * A lost connection is resumed with Last-Event-ID, so that nothing is missed and nothing comes twice. A body that ends
 * in good order says that there is nothing more; a refusal after the first event comes as an event named `error`.
 */

/** One event. `data` is what the server wrote as JSON. */
export type ServerEvent = { readonly id: string; readonly name: string; readonly data: unknown }

type RawEvent = { readonly id: string; readonly name: string; readonly data: string }

/** Largest line or event that is read, in characters. */
const EVENT_LIMIT = 4 * 1024 * 1024
/** The server writes a comment at least every 30 s; three times as long without anything means the line is dead. */
const SILENCE_MAX_MS = 90_000
/** Connections in a row that may end without an event before the stream fails. */
const RECONNECTS_MAX = 10
const RECONNECT_FIRST_MS = 250
const RECONNECT_MAX_MS = 15_000

/**
 * The events of a stream, over as many connections as it takes. Ends when the server says so; leave the loop to close it.
 * @throws {ApiError} a refusal, or `server_unreachable` when the server stays away
 */
export async function* readEvents(
  transport: Transport,
  request: Prepared,
  options: CallOptions,
): AsyncGenerator<ServerEvent, void, undefined> {
  let lastEventId = options.lastEventId
  const reconnectsMax = options.endless === true ? Infinity : RECONNECTS_MAX
  let fruitless = 0
  let isLost = false
  for (;;) {
    let failure: ApiError
    try {
      for await (const event of readConnection(transport, request, { ...options, lastEventId })) {
        fruitless = 0
        if (isLost) options.onConnection?.(undefined)
        isLost = false
        if (event.id !== '') lastEventId = event.id
        if (event.name === 'error') throw refusalFrom(dataOf(event.data, transport.server), 200)
        yield { id: event.id, name: event.name, data: dataOf(event.data, transport.server) }
      }
      if (options.endless !== true) return
      throw localError('server_unreachable', { server: transport.server })
    } catch (thrown) {
      options.signal?.throwIfAborted()
      if (!(thrown instanceof ApiError) || !isResumable(thrown)) throw thrown
      failure = thrown
    }
    fruitless += 1
    if (fruitless > reconnectsMax) throw failure
    if (!isLost) options.onConnection?.(failure)
    isLost = true
    const waitMs = retryDelayMs(fruitless - 1, transport.random, {
      firstMs: RECONNECT_FIRST_MS,
      maxMs: RECONNECT_MAX_MS,
    })
    await transport.clock.sleep(waitMs, options.signal)
  }
}

function isResumable(error: ApiError): boolean {
  return (
    error.status === 429 ||
    error.status === 503 ||
    error.code === 'server_unreachable' ||
    error.code === 'database_unavailable' ||
    error.code === 'event_reader_slow'
  )
}

function dataOf(text: string, server: string): unknown {
  if (text === '') return undefined
  try {
    return parseJson(text)
  } catch (cause) {
    throw localError('answer_invalid', { server, problem: 'an event that is not JSON' }, cause)
  }
}

async function* readConnection(
  transport: Transport,
  request: Prepared,
  options: CallOptions,
): AsyncGenerator<RawEvent, void, undefined> {
  const quiet = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, quiet.signal]) : quiet.signal
  const accept = 'text/event-stream'
  const response = await send(transport, request, { ...options, signal, accept }, (answer) =>
    Promise.resolve(answer),
  )
  if (response.status === 204 || !response.body) return
  const parser = eventParser()
  const decoder = new TextDecoder()
  const watch = (): Disposable => transport.clock.after(SILENCE_MAX_MS, () => quiet.abort())
  let silence = watch()
  try {
    for await (const chunk of chunksOf(response.body)) {
      silence[Symbol.dispose]()
      silence = watch()
      for (const event of parser.feed(decoder.decode(chunk, { stream: true }))) yield event
      if (parser.heldSize() > EVENT_LIMIT)
        throw localError('answer_invalid', { server: transport.server, problem: 'an event without an end' })
    }
  } catch (thrown) {
    options.signal?.throwIfAborted()
    if (thrown instanceof ApiError) throw thrown
    throw localError('server_unreachable', { server: transport.server }, thrown)
  } finally {
    silence[Symbol.dispose]()
  }
}

type EventParser = {
  readonly feed: (text: string) => readonly RawEvent[]
  readonly heldSize: () => number
}

/** Cuts text into events, wherever its chunks begin and end. Pure but for what it holds back. */
export function eventParser(): EventParser {
  let held = ''
  let id = ''
  let name = ''
  let data: string[] = []
  let dataSize = 0

  function finish(): RawEvent | undefined {
    const event =
      data.length > 0 || name !== '' ? { id, name: name || 'message', data: data.join('\n') } : undefined
    name = ''
    data = []
    dataSize = 0
    return event
  }

  function take(line: string): RawEvent | undefined {
    if (line === '') return finish()
    const colon = line.indexOf(':')
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /u, '')
    if (field === 'data') {
      data.push(value)
      dataSize += value.length
    } else if (field === 'event') name = value
    else if (field === 'id' && !value.includes('\0')) id = value
    return undefined
  }

  return {
    feed(text) {
      const events: RawEvent[] = []
      held += text
      // A carriage return at the very end may be half of a CRLF, so it waits for what follows.
      const ready = held.endsWith('\r') ? held.length - 1 : held.length
      const lines = held.slice(0, ready).split(/\r\n|\n|\r/u)
      held = (lines.pop() ?? '') + held.slice(ready)
      for (const line of lines) {
        const event = take(line)
        if (event) events.push(event)
      }
      return events
    },
    heldSize: () => held.length + dataSize,
  }
}
