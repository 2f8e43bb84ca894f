import { Reader } from 'protobufjs/minimal.js'

import { parseJson } from '@slipway/kit'

import type { Bytes } from './wire.ts'
import { integerOf, readEntries, readText } from './wire.ts'

/** One value of a scalar type of the schema, in its JSON form; undefined for a time that is not set. */
export function readScalar(type: string, value: Bytes | bigint): unknown {
  switch (type) {
    case 'string':
      return readText(value)
    case 'bool':
      return numberOf(value) !== 0
    case 'int32':
    case 'int64':
      return numberOf(value)
    case 'bytes':
      return Buffer.from(bytesOf(value)).toString('base64')
    case 'quantity':
      return textAt(value, 1)
    case 'intOrString':
      return intOrString(value)
    case 'time':
    case 'microTime':
      return timeText(type, value)
    case 'duration':
      return `${Number(numberAt(value, 1)) / 1e9}s`
    case 'fieldsV1':
    case 'raw': {
      const text = textAt(value, 1)
      return text === '' ? undefined : parseJson(text)
    }
    case 'stringList':
      return [...readEntries(bytesOf(value))]
        .filter(({ number }) => number === 1)
        .map((entry) => readText(entry.value))
    default:
      throw new Error(`no protobuf form of ${type}`)
  }
}

/** The values of a packed list. */
export function readScalars(type: string, value: Bytes | bigint): readonly unknown[] {
  const reader = Reader.create(bytesOf(value))
  const values: unknown[] = []
  while (reader.pos < reader.len) values.push(readScalar(type, integerOf(reader.int64())))
  return values
}

function intOrString(value: Bytes | bigint): unknown {
  return Number(numberAt(value, 1)) === 1 ? textAt(value, 3) : Number(BigInt.asIntN(32, numberAt(value, 2)))
}

/** Seconds and nanoseconds since 1970; an empty message is Go's zero time, which JSON leaves out. */
function timeText(type: 'time' | 'microTime', value: Bytes | bigint): string | undefined {
  const seconds = Number(numberAt(value, 1))
  const nanos = Number(numberAt(value, 2))
  if (seconds === 0 && nanos === 0) return undefined
  const text = new Date(seconds * 1000).toISOString().slice(0, 19)
  return type === 'time' ? `${text}Z` : `${text}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`
}

function numberAt(value: Bytes | bigint, wanted: number): bigint {
  let found = 0n
  for (const { number, value: inner } of readEntries(bytesOf(value))) {
    if (number === wanted && typeof inner === 'bigint') found = inner
  }
  return found
}

function textAt(value: Bytes | bigint, wanted: number): string {
  let found = ''
  for (const { number, value: inner } of readEntries(bytesOf(value))) {
    if (number === wanted) found = readText(inner)
  }
  return found
}

function numberOf(value: Bytes | bigint): number {
  if (typeof value !== 'bigint') throw new Error('number expected')
  return Number(value)
}

function bytesOf(value: Bytes | bigint): Bytes {
  if (typeof value === 'bigint') throw new Error('message expected')
  return value
}
