import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'

import { limiterOf, type Limiter } from '@slipway/kit'

import { identityErrors } from './errors.ts'

/*
 * Argon2id with 19 MiB, 2 passes, 1 lane: the OWASP recommendation. Hashing is expensive on purpose, so at most two run at
 * once and a bounded number waits; otherwise signing in would be a way to stop the service.
 */
const MEMORY_KIB = 19 * 1024
const PASSES = 2
const LANES = 1
const HASH_BYTES = 32
const AT_ONCE = 2
const WAITING_MAX = 64
const RETRY_AFTER_SECONDS = 5

const STORED =
  /^argon2id\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9_-]{16,64})\$([A-Za-z0-9_-]{16,128})$/u

export type Passwords = {
  /** The text to store: scheme, parameters, salt, hash. */
  readonly hash: (password: string) => Promise<string>
  /** Takes the same time whether the user exists (`stored`) or not. */
  readonly verify: (password: string, stored: string | undefined) => Promise<boolean>
}

/** @throws {AppError} `sign_in_busy` from both functions when too many wait already */
export function passwordsOf(limiter: Limiter = limiterOf(AT_ONCE)): Passwords {
  const guarded = <T>(task: () => Promise<T>): Promise<T> => {
    if (limiter.waiting() >= WAITING_MAX)
      throw identityErrors.sign_in_busy(
        { seconds: RETRY_AFTER_SECONDS },
        { retryAfterSeconds: RETRY_AFTER_SECONDS },
      )
    return limiter.run(task)
  }
  const nobody = `argon2id$m=${MEMORY_KIB},t=${PASSES},p=${LANES}$${randomBytes(16).toString('base64url')}$${randomBytes(HASH_BYTES).toString('base64url')}`
  return {
    hash: async (password) =>
      guarded(async () => {
        const salt = randomBytes(16)
        const hash = await derive(password, {
          memoryKib: MEMORY_KIB,
          passes: PASSES,
          lanes: LANES,
          salt,
          bytes: HASH_BYTES,
        })
        return `argon2id$m=${MEMORY_KIB},t=${PASSES},p=${LANES}$${salt.toString('base64url')}$${hash.toString('base64url')}`
      }),
    verify: async (password, stored) =>
      guarded(async () => (await matches(password, stored ?? nobody)) && stored !== undefined),
  }
}

async function matches(password: string, stored: string): Promise<boolean> {
  const match = STORED.exec(stored)
  if (!match) return false
  const expected = Buffer.from(match[5] ?? '', 'base64url')
  const actual = await derive(password, {
    memoryKib: Number(match[1]),
    passes: Number(match[2]),
    lanes: Number(match[3]),
    salt: Buffer.from(match[4] ?? '', 'base64url'),
    bytes: expected.length,
  })
  return timingSafeEqual(actual, expected)
}

type Parameters = {
  readonly memoryKib: number
  readonly passes: number
  readonly lanes: number
  readonly salt: Uint8Array
  readonly bytes: number
}

function derive(password: string, { memoryKib, passes, lanes, salt, bytes }: Parameters): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    argon2(
      'argon2id',
      // Unicode's composed form: the same password typed on two keyboards is the same password.
      {
        message: password.normalize('NFC'),
        nonce: salt,
        parallelism: lanes,
        tagLength: bytes,
        memory: memoryKib,
        passes,
      },
      (error, hash) => (error ? reject(error) : resolve(Buffer.from(hash))),
    )
  })
}
