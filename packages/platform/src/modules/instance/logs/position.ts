/*
 * Where a reader of logs stands, per container: the time of the last line delivered and how many lines of that very time were.
 * Kubernetes gives logs from a time on, to the second, so everything before the position is read again and skipped. All
 * positions together travel in the id of each event, and come back as Last-Event-ID: no server needs to remember a reader.
 */
import { createHash } from 'node:crypto'

import type { Stamp } from '../../../stamp.ts'

export type Position = {
  /** Restarts of the container when the line was printed: its log begins anew with each. */
  readonly restarts: number
  readonly at: Stamp
  /** Lines delivered with exactly that time. */
  readonly count: number
}

/** Positions by key of a container. */
export type Positions = ReadonlyMap<string, Position>

export const atBeginning: Position = { restarts: 0, at: 0n, count: 0 }

const ENTRIES_MAX = 400
const ID_MAX = 16 * 1024

/** Key of a container of a pod: short, because all keys travel with every event. */
export function containerKey(podUid: string, container: string): string {
  return createHash('sha256').update(`${podUid}/${container}`).digest('base64url').slice(0, 8)
}

/** The position after one more line. */
export function advanced(position: Position | undefined, at: Stamp, restarts: number): Position {
  return position?.at === at && position.restarts === restarts
    ? { restarts, at, count: position.count + 1 }
    : { restarts, at, count: 1 }
}

/** Tells, line by line from a reading that begins before it, which lines lie behind a position. */
export function skipperTo(position: Position | undefined): (at: Stamp) => boolean {
  let isBehind = position === undefined
  let same = 0
  return (at) => {
    if (isBehind || position === undefined) return true
    if (at === position.at) same += 1
    // A clock that was set back later must not hide lines: the first line behind the position ends the skipping.
    isBehind = at > position.at || (at === position.at && same > position.count)
    return isBehind
  }
}

export function encodePositions(positions: Positions): string {
  const parts = [...positions].map(
    ([key, { restarts, at, count }]) =>
      `${key}.${restarts.toString(36)}.${at.toString(36)}.${count.toString(36)}`,
  )
  return `1~${parts.join('~')}`
}

/** Undefined for anything that `encodePositions` did not make. */
export function decodePositions(id: string): Map<string, Position> | undefined {
  const [version, ...parts] = id.length > ID_MAX ? [''] : id.split('~')
  if (version !== '1' || parts.length > ENTRIES_MAX) return undefined
  const positions = new Map<string, Position>()
  for (const part of parts) {
    if (part === '') continue
    const match = /^([\w-]{8})\.([0-9a-z]{1,7})\.([0-9a-z]{1,14})\.([0-9a-z]{1,10})$/u.exec(part)
    if (!match) return undefined
    const [, key = '', restarts = '', at = '', count = ''] = match
    positions.set(key, {
      restarts: Number.parseInt(restarts, 36),
      at: fromBase36(at),
      count: Number.parseInt(count, 36),
    })
  }
  return positions
}

function fromBase36(text: string): bigint {
  let value = 0n
  for (const digit of text) value = value * 36n + BigInt(Number.parseInt(digit, 36))
  return value
}
