/** Events about pods and the node: the same message again raises the count of the one event instead of adding another. */
import { createHash } from 'node:crypto'

import { messageOf, serialQueue } from '@slipway/kit'

import { StatusError } from '../errors.ts'
import { MANAGER, type Base, type Pod } from './model.ts'

type EventType = 'Normal' | 'Warning'

export type Events = {
  /** Reports something about a pod, of one container when it is named. Never waits and never fails the caller. */
  readonly report: (pod: Pod, event: PodEvent) => void
  readonly settled: () => Promise<void>
}

type PodEvent = {
  readonly type: EventType
  readonly reason: string
  readonly message: string
  readonly container?: string
}

const MESSAGE_MAX_LENGTH = 1_024
const KNOWN_MAX = 5_000

type Known = { readonly name: string; count: number; readonly first: string }

export function createEvents(base: Base): Events {
  const { registry, clock, log, nodeName } = base
  const known = new Map<string, Known>()
  const queue = serialQueue()

  async function write(pod: Pod, event: PodEvent): Promise<void> {
    const message = event.message.slice(0, MESSAGE_MAX_LENGTH)
    const key = createHash('sha256')
      .update([pod.metadata.uid, event.type, event.reason, event.container ?? '', message].join('\n'))
      .digest('hex')
      .slice(0, 16)
    const at = clock
      .now()
      .toISOString()
      .replace(/\.[0-9]+Z$/, 'Z')
    const before = known.get(key)
    const entry: Known = before ?? { name: `${pod.metadata.name}.${key}`, count: 0, first: at }
    entry.count += 1
    if (!before && known.size >= KNOWN_MAX) known.delete(known.keys().next().value ?? '')
    known.set(key, entry)
    const { namespace = 'default', name, uid, resourceVersion } = pod.metadata
    const object = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: entry.name, namespace },
      involvedObject: {
        apiVersion: 'v1',
        kind: 'Pod',
        namespace,
        name,
        uid,
        resourceVersion,
        ...(event.container === undefined ? {} : { fieldPath: `spec.containers{${event.container}}` }),
      },
      reason: event.reason,
      message,
      type: event.type,
      count: entry.count,
      firstTimestamp: entry.first,
      lastTimestamp: at,
      source: { component: 'kubelet', host: nodeName },
      reportingComponent: 'kubelet',
      reportingInstance: nodeName,
    }
    if (registry.get('events', namespace, entry.name)) await registry.update('events', object, MANAGER)
    else await registry.create('events', object, MANAGER)
  }

  return {
    report(pod, event) {
      log(event.type === 'Warning' ? 'warn' : 'debug', event.message, {
        pod: `${pod.metadata.namespace}/${pod.metadata.name}`,
        reason: event.reason,
      })
      queue
        .run(() => write(pod, event))
        .catch((error: unknown) => {
          // The namespace may be ending or the event may have expired between look and write: an event is never worth a retry.
          const level = error instanceof StatusError ? 'debug' : 'warn'
          log(level, 'an event was not recorded', { reason: event.reason, error: messageOf(error) })
        })
    },
    settled: () => queue.run(() => undefined),
  }
}
