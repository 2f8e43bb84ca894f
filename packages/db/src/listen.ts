import type { Clock, Random } from '@slipway/kit'
import { assert, messageOf, retryDelayMs, serialQueue } from '@slipway/kit'
import type { Client } from 'pg'

import { connectClient, quoteName } from './connect.ts'
import type { Log } from './log.ts'

/*
 * One connection per process listens for all channels. It is made at the first `listen` and made again whenever it is lost.
 * Notifications sent in between are gone, so after each reconnect every subscriber is woken without a payload: look at everything.
 * A connection can also die without a sign (a firewall that forgot it), hence the heartbeat.
 */
const CHANNELS_MAX = 100
const RETRY_DELAY = { firstMs: 100, maxMs: 10_000 }
const HEARTBEAT_MS = 15_000
const HEARTBEAT_TIMEOUT_MS = 10_000

type Wake = (payload: string | undefined) => void

export type Listener = AsyncDisposable & {
  readonly listen: (channel: string, onWake: Wake) => Promise<AsyncDisposable>
}

export type ListenerOptions = {
  readonly appUrl: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly name?: string
}

type Connected = Client & AsyncDisposable

/** Connects lazily: a process that never listens has no such connection. */
export function openListener(options: ListenerOptions): Listener {
  const { clock, random, log } = options
  const subscribers = new Map<string, Set<Wake>>()
  const queue = serialQueue()
  const closing = new AbortController()
  let client: Connected | undefined
  let heartbeat: Disposable | undefined
  let reconnecting = false

  function wake(channel: string, payload: string | undefined): void {
    for (const onWake of subscribers.get(channel) ?? []) {
      try {
        onWake(payload)
      } catch (thrown) {
        log.error({ channel, error: messageOf(thrown) }, 'a subscriber to notifications failed')
      }
    }
  }

  async function connect(): Promise<Connected> {
    const connected = await connectClient({
      url: options.appUrl,
      name: `${options.name ?? 'slipway'} listen`,
      statementTimeoutMs: HEARTBEAT_TIMEOUT_MS,
    })
    connected.on('notification', ({ channel, payload }) => wake(channel, payload ?? ''))
    connected.on('end', () => onLost(connected))
    try {
      for (const channel of subscribers.keys()) await connected.query(`listen ${quoteName(channel)}`)
    } catch (thrown) {
      await connected[Symbol.asyncDispose]()
      throw thrown
    }
    client = connected
    heartbeat = clock.every(HEARTBEAT_MS, () => void beat(connected))
    return connected
  }

  async function beat(connected: Connected): Promise<void> {
    // A dead peer leaves the query waiting for ever: the socket is torn down when no answer has come in time.
    const timer = clock.after(HEARTBEAT_TIMEOUT_MS, () => connected.connection.stream.destroy())
    try {
      await connected.query('select 1')
    } catch (thrown) {
      log.warn({ error: messageOf(thrown) }, 'the connection for notifications does not answer')
      await connected[Symbol.asyncDispose]()
      onLost(connected)
    } finally {
      timer[Symbol.dispose]()
    }
  }

  function onLost(lost: Connected): void {
    if (client !== lost) return
    client = undefined
    heartbeat?.[Symbol.dispose]()
    if (!closing.signal.aborted) void reconnect()
  }

  async function reconnect(): Promise<void> {
    if (reconnecting) return
    reconnecting = true
    try {
      for (let attempt = 0; !closing.signal.aborted; attempt += 1) {
        await clock.sleep(retryDelayMs(attempt, random, RETRY_DELAY), closing.signal)
        if (await tryConnect()) break
      }
    } catch (thrown) {
      if (!closing.signal.aborted)
        log.error({ error: messageOf(thrown) }, 'listening for notifications ended')
    } finally {
      reconnecting = false
    }
  }

  async function tryConnect(): Promise<boolean> {
    try {
      await queue.run(async () => client ?? (await connect()))
    } catch (thrown) {
      log.warn({ error: messageOf(thrown) }, 'the connection for notifications could not be made again')
      return false
    }
    for (const channel of subscribers.keys()) wake(channel, undefined)
    return true
  }

  async function subscribe(channel: string, onWake: Wake): Promise<void> {
    assert(subscribers.size < CHANNELS_MAX || subscribers.has(channel), 'too many channels')
    const connected = client ?? (await connect())
    const known = subscribers.get(channel)
    if (known) {
      known.add(onWake)
      return
    }
    await connected.query(`listen ${quoteName(channel)}`)
    subscribers.set(channel, new Set([onWake]))
  }

  async function unsubscribe(channel: string, onWake: Wake): Promise<void> {
    const known = subscribers.get(channel)
    known?.delete(onWake)
    if (known?.size !== 0) return
    subscribers.delete(channel)
    await client?.query(`unlisten ${quoteName(channel)}`)
  }

  return {
    async listen(channel, onWake) {
      await queue.run(() => subscribe(channel, onWake))
      return { [Symbol.asyncDispose]: () => queue.run(() => unsubscribe(channel, onWake)) }
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new Error('the database was closed'))
      heartbeat?.[Symbol.dispose]()
      await queue.run(async () => {
        const last = client
        client = undefined
        await last?.[Symbol.asyncDispose]()
      })
    },
  }
}
