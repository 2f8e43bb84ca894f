import { randomBytes } from 'node:crypto'

import { assert } from './assert.ts'

/** 32 symbols in byte order, without the letters that are misread (i, l, o, u): ids sort as text in the order of their making. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const TIME_LENGTH = 10
const CHANCE_BYTES = 10

/** Makes ids such as `rel_01k9x…`: prefix, 48 bits of time, 80 bits of chance; sortable by time of making. */
export type NewId = (prefix: string) => string

/** The real id maker over a clock. */
export function idsOf(now: () => Date, bytes: (count: number) => Uint8Array = randomBytes): NewId {
  return (prefix) => `${prefix}_${timePart(now().getTime())}${chancePart(bytes(CHANCE_BYTES))}`
}

function timePart(ms: number): string {
  let rest = ms
  let text = ''
  for (let index = 0; index < TIME_LENGTH; index += 1) {
    text = ALPHABET.charAt(rest % 32) + text
    rest = Math.floor(rest / 32)
  }
  return text
}

function chancePart(bytes: Uint8Array): string {
  let bits = 0n
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte)
  let text = ''
  for (let index = 0; index < (bytes.length * 8) / 5; index += 1) {
    text = ALPHABET.charAt(Number(bits & 31n)) + text
    bits >>= 5n
  }
  return text
}

/** The short tail of an id, for names that must stay readable (Kubernetes namespaces, object names). */
export function tailOf(id: string, length = 6): string {
  assert(id.length > length, 'an id is longer than its tail')
  return id.slice(-length)
}

/** A secret as text: `byteCount` random bytes in base64url. */
export function newSecret(byteCount = 32): string {
  return randomBytes(byteCount).toString('base64url')
}
