import { HOUR_MS, MINUTE_MS } from '@slipway/kit'

import { nameOfInstance } from '../../objects/instance-name.ts'
import type { Search } from '../../routes/path.ts'

/** From when on lines are shown: so long ago, the last ones of each Instance, or all that are kept. */
export const spans = { last: undefined, '5m': 5, '30m': 30, '3h': 180, '24h': 1_440, all: undefined } as const
export type Span = keyof typeof spans

/** What a log shows, as it stands in the address. */
export type LogView = {
  readonly span: Span
  readonly instance: string | undefined
  readonly process: string | undefined
  readonly isPrevious: boolean
  readonly find: string
  readonly onlyMatches: boolean
  readonly isWrapped: boolean
  readonly hasTimes: boolean
  /** The line a link points at. */
  readonly line: LineAddress | undefined
}

/** Lines of each Instance that are asked for first when no time is given. */
const TAIL_LINES = 1_000
const TAIL_MAX = 100_000
/** Before the line that a link points at. */
const CONTEXT_MS = 10 * MINUTE_MS

/** Reads the address; what cannot be understood is passed over. Pure. */
export function viewOf(workload: string, search: Search): LogView {
  const { since, instance, process, find = '', line } = search
  return {
    span: Object.hasOwn(spans, since ?? '') ? (since as Span) : 'last',
    instance:
      instance?.startsWith(`${workload}.`) === true && /^[a-z0-9_.-]{1,250}$/u.test(instance)
        ? instance
        : undefined,
    process: /^[a-z][a-z0-9-]{0,19}$/u.test(process ?? '') ? process : undefined,
    isPrevious: search['previous'] === 'true',
    find: find.slice(0, 200),
    onlyMatches: search['only'] === 'true',
    isWrapped: search['wrap'] !== 'false',
    hasTimes: search['times'] !== 'false',
    line: line === undefined ? undefined : lineAddressOf(line),
  }
}

export type LogRequest = {
  readonly workload: string
  readonly instance?: string
  readonly process?: string
  readonly since?: string
  readonly tail?: number
  readonly previous: 'true' | 'false'
}

/** What the server is asked for. Pure. */
export function requestOf(workload: string, view: LogView, now: Date): LogRequest {
  const minutes = spans[view.span]
  const common = {
    workload,
    previous: view.isPrevious ? ('true' as const) : ('false' as const),
    ...(view.instance === undefined ? {} : { instance: view.instance }),
    ...(view.process === undefined ? {} : { process: view.process }),
  }
  if (view.line) {
    const at = new Date(view.line.at).getTime() - CONTEXT_MS
    return { ...common, since: new Date(at).toISOString(), tail: TAIL_MAX }
  }
  if (minutes !== undefined)
    return { ...common, since: new Date(now.getTime() - minutes * MINUTE_MS).toISOString(), tail: TAIL_MAX }
  return { ...common, tail: view.span === 'all' ? TAIL_MAX : TAIL_LINES }
}

/** Which line a link means: that of an Instance with this time. */
export type LineAddress = { readonly at: string; readonly instance: string }

export function lineAddressText({ at, instance }: LineAddress): string {
  return `${at}~${nameOfInstance(instance)}`
}

/** @returns undefined for what `lineAddressText` did not make. Pure. */
function lineAddressOf(text: string): LineAddress | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z)~([a-z0-9.-]{1,210})$/u.exec(text)
  const [, at = '', instance = ''] = match ?? []
  return match && !Number.isNaN(new Date(at).getTime()) ? { at, instance } : undefined
}

export function isLine(address: LineAddress, line: LineAddress): boolean {
  return address.at === line.at && nameOfInstance(address.instance) === nameOfInstance(line.instance)
}

/** The options of `slipway logs` that show the same. Pure. */
export function commandOf(name: string, view: LogView): string {
  const minutes = spans[view.span]
  const hours = minutes === undefined ? 0 : (minutes * MINUTE_MS) / HOUR_MS
  return [
    'logs -f',
    view.instance === undefined ? name : `${name}/${nameOfInstance(view.instance)}`,
    ...(minutes === undefined ? [] : [`--since ${hours >= 1 ? `${hours}h` : `${minutes}m`}`]),
    ...(view.span === 'all' ? [`--tail ${TAIL_MAX}`] : []),
    ...(view.process === undefined ? [] : [`--process ${view.process}`]),
    ...(view.isPrevious ? ['--previous'] : []),
    ...(view.find !== '' && view.onlyMatches ? [`--filter ${quoted(view.find)}`] : []),
  ].join(' ')
}

function quoted(word: string): string {
  return /^[\w./:@%+=,-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
