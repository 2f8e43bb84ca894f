import { contract, type ChangeReset } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'

import type { Account } from '../../context.ts'
import type { PlaceFinders } from '../../http/authorize.ts'
import type { Routes } from '../../http/index.ts'
import type { StreamCall } from '../../http/routes.ts'
import { decide, type Place } from '../access/index.ts'
import { eventErrors } from './errors.ts'
import type { ChangeHub } from './hub.ts'
import type { Batch, Subscription, Topic } from './model.ts'
import { cursorText, subscriptionOf } from './plan.ts'
import { readerOf } from './reader.ts'

/** A reader that takes nothing for so long is cut off. */
const STUCK_MS = 30 * SECOND_MS
const HEARTBEAT_MS = 15 * SECOND_MS

export type EventPorts = {
  readonly hub: ChangeHub
  readonly finders: PlaceFinders
}

type Call = StreamCall<typeof contract.followChanges>

export function eventRoutes(routes: Routes, ports: EventPorts): void {
  routes.onStream(contract.followChanges, (call) => follow(call, ports))
}

/** Tells one reader until they leave. */
export async function follow(call: Call, ports: EventPorts): Promise<void> {
  const { clock, signal } = call.ctx
  const subscription = subscriptionOf(call.input.query)
  const reader = readerOf(call.ctx.account.access, subscription)
  call.onRecheck((account) => reader.accessIs(account.access))
  using _subscribed = await ports.hub.subscribe((batch) => reader.take(batch))
  using _heart = clock.every(HEARTBEAT_MS, () => reader.beat())
  signal.addEventListener('abort', () => reader.wake(), { once: true })
  const send = (event: string, data: unknown, id?: string): Promise<void> =>
    sendUnlessStuck(call, { event, data, ...(id === undefined ? {} : { id }) })

  let topics = await endTopics(call, ports, { account: call.ctx.account, topics: subscription.topics, send })
  const missed = await ports.hub.missed(call.lastEventId)
  const first = firstReset(call.lastEventId, missed, subscription)
  // The place is only told where nothing is left to send from before it.
  if (first) await send('reset', first, missed.reset ? cursorText(missed.cursor) : undefined)
  reader.begin(missed, topics)
  while (!signal.aborted) {
    const { access, changes, cursor, reset, isBeat } = reader.next()
    if (access) {
      topics = await endTopics(call, ports, { account: { access }, topics, send })
      reader.topicsAre(topics)
      await send('reset', resetOf(null, 'access'), cursor)
    }
    if (reset) await send('reset', resetOf(null, 'gap'), cursor)
    for (const [index, change] of changes.entries())
      // Only the last one moves the reader on: who is cut off in between gets all of them again.
      await send('change', change, index === changes.length - 1 ? cursor : undefined)
    if (isBeat) await send('heartbeat', { at: clock.now().toISOString() }, cursor)
    await reader.woken()
  }
}

/** What a reader has to read again at the beginning. Instances are not in the log, so who was away may have missed theirs. */
function firstReset(
  lastEventId: string | undefined,
  missed: Batch,
  { types }: Subscription,
): ChangeReset | undefined {
  if (missed.reset) return resetOf(null, lastEventId === undefined ? 'start' : 'gap')
  return types === undefined || types.has('instances') ? resetOf(['instances'], 'resumed') : undefined
}

function resetOf(types: ChangeReset['types'], reason: ChangeReset['reason']): ChangeReset {
  return { types, reason }
}

type Send = (event: string, data: unknown, id?: string) => Promise<void>

/** Says of topics that tell nothing to this caller that they have ended; returns the others. */
async function endTopics(
  { ctx }: Call,
  { finders }: EventPorts,
  { account, topics, send }: { account: Pick<Account, 'access'>; topics: readonly Topic[]; send: Send },
): Promise<readonly Topic[]> {
  if (topics.length === 0) return topics
  const places = await ctx.read(async (db) => {
    const found = new Map<string, Place>()
    for (const { text, kind, id } of topics) {
      const place = await finders[kind]?.(db, id)
      if (place) found.set(text, place)
    }
    return found
  })
  const left: Topic[] = []
  for (const topic of topics) {
    const place = places.get(topic.text)
    const permission = topic.kind === 'organization' ? 'organization:read' : 'project:read'
    if (place && decide(account.access, permission, place) === 'allowed') left.push(topic)
    else await send('topic', { topic: topic.text, code: 'not_found' })
  }
  return left
}

/** @throws {AppError} `event_reader_slow` */
async function sendUnlessStuck(call: Call, event: Parameters<Call['send']>[0]): Promise<void> {
  let free: () => void = () => undefined
  const stuck = new Promise<'stuck'>((resolve) => {
    const timer = call.ctx.clock.after(STUCK_MS, () => resolve('stuck'))
    free = () => timer[Symbol.dispose]()
  })
  const outcome = await Promise.race([call.send(event), stuck])
  free()
  if (outcome === 'stuck') throw eventErrors.event_reader_slow(undefined, { retryAfterSeconds: 1 })
}
