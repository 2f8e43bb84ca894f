import { signalStore } from './store.ts'

/*
 * What is being deleted, or has been: nothing asks for it any more. The stream tells of a deletion at once, often before its
 * answer is there, while the page of the object is still open.
 */

const going = signalStore<ReadonlySet<string>>(new Set())
const ID = /^[a-z]{3}_[0-9a-z]{26}$/u

/** The object that an operation takes away: the one that it is named after; none unless it deletes. Pure. */
export function idsTaken(name: string, request: object): readonly string[] {
  const [, first = '', rest = ''] = /^delete([A-Z])(\w*)$/u.exec(name) ?? []
  const id: unknown = (request as Readonly<Record<string, unknown>>)[first.toLowerCase() + rest]
  return typeof id === 'string' && ID.test(id) ? [id] : []
}

export function markGoing(ids: readonly string[]): void {
  if (ids.length > 0) going.set(new Set([...going.get(), ...ids]))
}

/** They stay after all. */
export function unmarkGoing(ids: readonly string[]): void {
  if (ids.length > 0) going.set(new Set([...going.get()].filter((id) => !ids.includes(id))))
}

/** Whether a request is about something that goes. */
export function useIsGoing(request: object): boolean {
  const ids = going.use()
  return ids.size > 0 && Object.values(request).some((value) => typeof value === 'string' && ids.has(value))
}
