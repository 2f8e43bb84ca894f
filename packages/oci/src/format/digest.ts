import { createHash, type Hash } from 'node:crypto'

import { ociErrors } from '../errors.ts'

export type DigestAlgorithm = 'sha256' | 'sha512'

/** `sha256:<64 hex>` or `sha512:<128 hex>`, lower case; made only by `parseDigest` and the hashing functions. */
export type Digest = `${DigestAlgorithm}:${string}`

const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/

export function isDigest(text: string): text is Digest {
  return DIGEST.test(text)
}

/** @throws {AppError} `digest_invalid` for another algorithm, length, or upper case */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) throw ociErrors.digest_invalid({ value: text.slice(0, 80) })
  return text
}

export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256'
}

export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1)
}

export function digestOf(bytes: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return finishDigest(createHash(algorithm).update(bytes), algorithm)
}

/** Ends `hash`, which must not be used afterwards. */
export function finishDigest(hash: Hash, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${hash.digest('hex')}`
}
