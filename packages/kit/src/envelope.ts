import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

import { assert } from './assert.ts'
import { defineErrors } from './errors.ts'

/*
 * The one envelope for secrets: AES-256-GCM with a data key per record, which the master key wraps.
 * What a ciphertext belongs to (Organization | kind | id | version | …) is authenticated with it, so that a row cannot be
 * moved to another place in the database and still be opened.
 *
 * Layout, base64url: version byte 1 | wrapped key (12 nonce + 32 key + 16 tag) | 12 nonce | ciphertext | 16 tag.
 */
const VERSION = 1
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const WRAPPED_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES

export const envelopeErrors = defineErrors({ secret_unreadable: { status: 500 } })

/** What a secret belongs to; the order of the parts matters. */
export type EnvelopeOwner = readonly [
  organization: string,
  kind: string,
  id: string,
  version: string,
  ...more: string[],
]

export type Envelope = {
  /** Encrypts `plain` for `owner`; the result is text and safe to store. */
  readonly seal: (plain: Uint8Array | string, owner: EnvelopeOwner) => string
  /**
   * Decrypts what `seal` made.
   * @throws {AppError} `secret_unreadable` when the key is another one, the text was changed or it belongs to another owner.
   */
  readonly open: (sealed: string, owner: EnvelopeOwner) => Buffer
  /** A key for one purpose (`session`, `signed-url`, …), derived from the master key by HKDF-SHA256. */
  readonly deriveKey: (purpose: string) => Buffer
}

export function newMasterKey(): Buffer {
  return randomBytes(KEY_BYTES)
}

/** @param masterKey - exactly 32 bytes */
export function envelopeOf(masterKey: Uint8Array): Envelope {
  assert(masterKey.length === KEY_BYTES, 'the master key has 32 bytes')
  return {
    seal(plain, owner) {
      const context = contextOf(owner)
      const dataKey = randomBytes(KEY_BYTES)
      return Buffer.concat([
        Buffer.of(VERSION),
        encrypt(masterKey, dataKey, context),
        encrypt(dataKey, typeof plain === 'string' ? Buffer.from(plain, 'utf8') : plain, context),
      ]).toString('base64url')
    },
    open(sealed, owner) {
      const context = contextOf(owner)
      const bytes = Buffer.from(sealed, 'base64url')
      try {
        assert(bytes[0] === VERSION, 'unknown envelope version')
        const dataKey = decrypt(masterKey, bytes.subarray(1, 1 + WRAPPED_BYTES), context)
        return decrypt(dataKey, bytes.subarray(1 + WRAPPED_BYTES), context)
      } catch (cause) {
        throw envelopeErrors.secret_unreadable({ kind: owner[1] }, { cause })
      }
    },
    deriveKey: (purpose) => Buffer.from(hkdfSync('sha256', masterKey, '', `slipway/${purpose}`, KEY_BYTES)),
  }
}

/** Length-prefixed parts, so that ['a', 'bc'] and ['ab', 'c'] differ. */
function contextOf(owner: EnvelopeOwner): Buffer {
  return Buffer.from(owner.map((part) => `${Buffer.byteLength(part)}:${part}`).join('|'), 'utf8')
}

function encrypt(key: Uint8Array, plain: Uint8Array, context: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(context)
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

function decrypt(key: Uint8Array, bytes: Buffer, context: Buffer): Buffer {
  assert(bytes.length >= NONCE_BYTES + TAG_BYTES, 'envelope cut short')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAAD(context).setAuthTag(bytes.subarray(bytes.length - TAG_BYTES))
  return Buffer.concat([
    decipher.update(bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES)),
    decipher.final(),
  ])
}
