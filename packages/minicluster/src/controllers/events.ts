import { createHash } from 'node:crypto'

import type { AnyObject } from '../model.ts'
import { timeText } from './conditions.ts'
import { isStatus, type Parts } from './kit.ts'

export type EventText = {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

/** Records what happened to an object. Repeats of the same text count up one Event instead of making more. */
export type RecordEvent = (
  about: Pick<AnyObject, 'apiVersion' | 'kind' | 'metadata'>,
  event: EventText,
) => void

const MESSAGE_MAX = 1_024

/**
 * Makes the recorder of one component. Recording never fails its caller: an Event that cannot be written is logged, because
 * the work it tells about is done already.
 */
export function eventRecorder(parts: Parts, component: string): RecordEvent {
  return (about, event) => {
    writeEvent(parts, component, about, event).catch((thrown: unknown) => {
      // A namespace that is going away takes no more events; there is nobody left to read them.
      if (isStatus(thrown, 'NotFound', 'Forbidden')) return
      parts.log('warn', `event ${event.reason} was not recorded`, { error: String(thrown) })
    })
  }
}

async function writeEvent(
  parts: Parts,
  component: string,
  about: Pick<AnyObject, 'apiVersion' | 'kind' | 'metadata'>,
  event: EventText,
): Promise<void> {
  const { registry, clock } = parts
  const namespace = about.metadata.namespace ?? 'default'
  const message = event.message.slice(0, MESSAGE_MAX)
  const name = eventName(about.metadata, component, event.type, event.reason, message)
  for (;;) {
    const now = timeText(clock.now())
    const known = registry.get('events', namespace, name)
    try {
      if (known) {
        const count = (known.count ?? 1) + 1
        await registry.update('events', { ...known, count, lastTimestamp: now }, component)
      } else {
        await registry.create(
          'events',
          {
            apiVersion: 'v1',
            kind: 'Event',
            metadata: { name, namespace },
            involvedObject: {
              apiVersion: about.apiVersion,
              kind: about.kind,
              name: about.metadata.name,
              uid: about.metadata.uid,
              resourceVersion: about.metadata.resourceVersion,
              ...(about.metadata.namespace === undefined ? {} : { namespace: about.metadata.namespace }),
            },
            type: event.type,
            reason: event.reason,
            message,
            count: 1,
            firstTimestamp: now,
            lastTimestamp: now,
            source: { component },
            reportingComponent: component,
            reportingInstance: '',
          },
          component,
        )
      }
      return
    } catch (thrown) {
      // Another record of the same text came between reading and writing: read again and count up.
      if (!isStatus(thrown, 'Conflict', 'AlreadyExists') && !(known && isStatus(thrown, 'NotFound')))
        throw thrown
    }
  }
}

function eventName(about: AnyObject['metadata'], ...texts: readonly string[]): string {
  const hash = createHash('sha256')
    .update([about.uid, ...texts].join('\0'))
    .digest('hex')
  return `${about.name.slice(0, 200)}.${hash.slice(0, 16)}`
}
