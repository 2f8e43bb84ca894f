/*
 * For tests only: a port with faults in front of it, and a scripted one to stand behind it. The scripted port knows one
 * resource's list and watch, which is all that the model of a reader needs; everything else is tested against real servers.
 */
import { KubeError } from './errors.ts'
import type { Kube, WatchEvent } from './kube.ts'
import type { ResourceName } from './resources.ts'

/** What goes wrong with one call. */
export type Fault =
  | { readonly kind: 'error'; readonly error: Error }
  /** The call goes on only after `until` has resolved. */
  | { readonly kind: 'slow'; readonly until: Promise<unknown> }
  /** The watch breaks after so many events. */
  | { readonly kind: 'cut'; readonly afterEvents: number; readonly error?: Error }

export type FaultPlan = (operation: keyof Kube, resource: ResourceName | undefined) => Fault | undefined

/** Faults as the server sends them. */
export const faults = {
  /** 410: the version is older than what the server keeps. */
  expired: (): Fault => failure(410, 'Expired', 'too old resource version: 1 (4494)'),
  tooManyRequests: (retryAfterSeconds: number): Fault => ({
    kind: 'error',
    error: new KubeError(429, 'TooManyRequests', 'the server is busy', { retryAfterSeconds }),
  }),
  conflict: (): Fault => failure(409, 'Conflict', 'the object has been modified; please apply your changes'),
  forbidden: (): Fault => failure(403, 'Forbidden', 'you may not'),
  /** 504: a version that this server has not reached yet. */
  futureVersion: (): Fault => ({
    kind: 'error',
    error: new KubeError(504, 'Timeout', 'Timeout: Too large resource version: 9, current: 5', {
      details: { causes: [{ reason: 'ResourceVersionTooLarge' }], retryAfterSeconds: 1 },
    }),
  }),
  unreachable: (): Fault => failure(0, 'Unreachable', 'connect ECONNREFUSED'),
  cutWatch: (afterEvents: number): Fault => ({ kind: 'cut', afterEvents }),
  slow: (until: Promise<unknown>): Fault => ({ kind: 'slow', until }),
} as const

function failure(code: number, reason: string, message: string): Fault {
  return { kind: 'error', error: new KubeError(code, reason, message) }
}

/** `plan` is asked before each call; undefined lets it through. */
export function withFaults(kube: Kube, plan: FaultPlan): Kube {
  const before = async (
    operation: keyof Kube,
    resource: ResourceName | undefined,
  ): Promise<Fault | undefined> => {
    const fault = plan(operation, resource)
    if (fault?.kind === 'error') throw fault.error
    if (fault?.kind === 'slow') await fault.until
    return fault
  }
  return {
    get: (resource, ...rest) => before('get', resource).then(() => kube.get(resource, ...rest)),
    list: (resource, ...rest) => before('list', resource).then(() => kube.list(resource, ...rest)),
    create: (resource, ...rest) => before('create', resource).then(() => kube.create(resource, ...rest)),
    replace: (resource, ...rest) => before('replace', resource).then(() => kube.replace(resource, ...rest)),
    apply: (resource, ...rest) => before('apply', resource).then(() => kube.apply(resource, ...rest)),
    patch: (resource, ...rest) => before('patch', resource).then(() => kube.patch(resource, ...rest)),
    scale: (resource, ...rest) => before('scale', resource).then(() => kube.scale(resource, ...rest)),
    evict: (...rest) => before('evict', 'pods').then(() => kube.evict(...rest)),
    requestToken: (...rest) =>
      before('requestToken', 'serviceaccounts').then(() => kube.requestToken(...rest)),
    remove: (resource, ...rest) => before('remove', resource).then(() => kube.remove(resource, ...rest)),
    removeAll: (resource, ...rest) =>
      before('removeAll', resource).then(() => kube.removeAll(resource, ...rest)),
    logs: (...rest) => before('logs', 'pods').then(() => kube.logs(...rest)),
    exec: (...rest) => before('exec', 'pods').then(() => kube.exec(...rest)),
    text: (...rest) => before('text', undefined).then(() => kube.text(...rest)),
    async watch(resource, options) {
      const fault = await before('watch', resource)
      const events = await kube.watch(resource, options)
      return fault?.kind === 'cut' ? cut(events, fault.afterEvents, fault.error) : events
    },
  }
}

async function* cut<R extends ResourceName>(
  events: AsyncIterable<WatchEvent<R>>,
  afterEvents: number,
  error: Error = new KubeError(0, 'ConnectionLost', 'the watch broke: aborted'),
): AsyncGenerator<WatchEvent<R>> {
  let count = 0
  if (afterEvents > 0)
    for await (const event of events) {
      yield event
      count += 1
      if (count >= afterEvents) break
    }
  throw error
}
