import type { Change, ChangeReset, ChangeType, TopicEnd } from '@slipway/contract'

import type { ApiError } from './error.ts'
import type { Client } from './types.ts'

/**
 * What a reader of changes is told. `reset`: read everything of these types (null: all) again. `change`: read this object
 * again. `topic`: a topic has ended. `connection`: the server was lost (`lost` says why) or is there again; nothing is to be done
 * but to say so, because what was missed follows.
 */
export type ChangeNotice =
  | ({ readonly kind: 'reset'; readonly cursor: string } & ChangeReset)
  | { readonly kind: 'change'; readonly cursor: string; readonly change: Change }
  | ({ readonly kind: 'topic' } & TopicEnd)
  | { readonly kind: 'heartbeat'; readonly cursor: string }
  | { readonly kind: 'connection'; readonly lost: ApiError | undefined }

export type WatchOptions = {
  /** `<kind>:<id>`; without any, everything the caller may see. */
  readonly topics?: readonly string[] | undefined
  readonly types?: readonly ChangeType[] | undefined
  /** `cursor` of the last notice that was seen, to go on from there. */
  readonly cursor?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Follows what changes, over as many connections and restarts of the server as it takes; leave the loop or abort to stop. Read
 * what a notice names *after* the notice has come: then what is shown last is what the database holds. Changes may come twice.
 * Works in browsers and in Node.
 * @throws {ApiError} when the server refuses, e.g. `session_ended`; never because it is away
 */
export async function* watchChanges(
  client: Pick<Client, 'followChanges'>,
  options: WatchOptions = {},
): AsyncGenerator<ChangeNotice, void, undefined> {
  const { topics, types, cursor, signal } = options
  const notices = queueOf<ChangeNotice>()
  const request = {
    ...(topics === undefined || topics.length === 0 ? {} : { topics: [...topics] }),
    ...(types === undefined || types.length === 0 ? {} : { types: [...types] }),
  }
  const stopping = new AbortController()
  const events = client.followChanges(request, {
    signal: signal ? AbortSignal.any([signal, stopping.signal]) : stopping.signal,
    lastEventId: cursor,
    endless: true,
    onConnection: (lost) => notices.push({ kind: 'connection', lost }),
  })
  const reading = readInto(events, notices, cursor ?? '')
  // Thrown below once everything that came before it was taken; until then nobody waits for it.
  reading.catch(() => undefined)
  try {
    yield* notices.take()
    await reading
  } finally {
    stopping.abort()
  }
}

type Events = ReturnType<Client['followChanges']>

async function readInto(events: Events, notices: Queue<ChangeNotice>, from: string): Promise<void> {
  let cursor = from
  try {
    for await (const event of events) {
      if (event.id !== '') cursor = event.id
      // The contract says what each event carries; one of a newer server is left out.
      if (event.name === 'reset') notices.push({ kind: 'reset', cursor, ...(event.data as ChangeReset) })
      else if (event.name === 'change') notices.push({ kind: 'change', cursor, change: event.data as Change })
      else if (event.name === 'topic') notices.push({ kind: 'topic', ...(event.data as TopicEnd) })
      else if (event.name === 'heartbeat') notices.push({ kind: 'heartbeat', cursor })
      await notices.room()
    }
  } finally {
    notices.end()
  }
}

type Queue<Item> = {
  readonly push: (item: Item) => void
  readonly end: () => void
  /** Resolves when the reader has kept up. */
  readonly room: () => Promise<void>
  readonly take: () => AsyncGenerator<Item, void, undefined>
}

const WAITING_MAX = 100

function queueOf<Item>(): Queue<Item> {
  const items: Item[] = []
  let ended = false
  let wakeReader: () => void = () => undefined
  let wakeWriter: () => void = () => undefined
  return {
    push(item) {
      items.push(item)
      wakeReader()
    },
    end() {
      ended = true
      wakeReader()
    },
    room: async () => {
      if (items.length >= WAITING_MAX) await new Promise<void>((resolve) => (wakeWriter = resolve))
    },
    async *take() {
      try {
        for (;;) {
          const item = items.shift()
          if (item !== undefined) {
            wakeWriter()
            yield item
          } else if (ended) return
          else await new Promise<void>((resolve) => (wakeReader = resolve))
        }
      } finally {
        // A writer that waits for a reader who left would never learn that.
        wakeWriter()
      }
    },
  }
}
