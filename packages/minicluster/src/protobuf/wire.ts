import { Reader } from 'protobufjs/minimal.js'

export type Bytes = Uint8Array

export const LENGTH_DELIMITED = 2

/** The fields of one message in the order they were written. */
export function* readEntries(bytes: Bytes): Generator<{
  readonly number: number
  readonly wireType: number
  readonly value: Bytes | bigint
}> {
  const reader = Reader.create(bytes)
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    const number = tag >>> 3
    const wireType = tag & 7
    if (number === 0) throw new Error('field number 0')
    if (wireType === LENGTH_DELIMITED) yield { number, wireType, value: reader.bytes() }
    else if (wireType === 0) yield { number, wireType, value: integerOf(reader.int64()) }
    else if (wireType === 1) yield { number, wireType, value: integerOf(reader.fixed64()) }
    else if (wireType === 5) yield { number, wireType, value: BigInt(reader.fixed32()) }
    else throw new Error(`wire type ${wireType} is not supported`)
  }
}

/** Varints come as a number or, above 32 bits, in two halves. */
export function integerOf(value: number | { readonly low: number; readonly high: number }): bigint {
  if (typeof value === 'number') return BigInt(value)
  return BigInt.asIntN(64, (BigInt(value.high) << 32n) | BigInt(value.low >>> 0))
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function readText(value: Bytes | bigint): string {
  if (!(value instanceof Uint8Array)) throw new Error('text expected')
  return decoder.decode(value)
}
