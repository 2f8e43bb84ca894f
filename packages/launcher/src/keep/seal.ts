import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { errorOf, systemCodeOf } from '@slipway/kit'

import { keepErrors } from './errors.ts'

/*
 * AES-256-GCM over a whole file: 12 bytes nonce | ciphertext | 16 bytes tag. The key is used once, so its limit of 64 GiB is
 * the file's. Bytes come out before the tag at the end is checked: the reader keeps nothing unless the end was reached.
 */
const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Writes a new file, 0600, with what `fill` puts into the stream; on the disk when it resolves. */
export async function sealFile(
  path: string,
  key: Buffer,
  fill: (stream: PassThrough) => Promise<unknown>,
): Promise<void> {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(ALGORITHM, key, nonce)
  const plain = new PassThrough()
  const writing = pipeline(
    plain,
    async function* (chunks: AsyncIterable<Buffer>) {
      yield nonce
      for await (const chunk of chunks) yield cipher.update(chunk)
      yield cipher.final()
      yield cipher.getAuthTag()
    },
    createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true }),
  )
  const filling = fill(plain).catch((thrown: unknown) => {
    plain.destroy(errorOf(thrown))
    throw thrown
  })
  const [written, filled] = await Promise.allSettled([writing, filling])
  // Each fails for the other; a disk's own word tells more than that the reader went away.
  if (written.status === 'rejected' && systemCodeOf(written.reason) === 'ENOSPC') throw written.reason
  if (filled.status === 'rejected') throw filled.reason
  if (written.status === 'rejected') throw written.reason
}

/** @throws {AppError} `backup_invalid` when there is no such file; its stream fails when it was changed */
export async function openSealedFile(path: string, key: Buffer): Promise<Readable> {
  const sizeBytes = (await stat(path).catch(() => undefined))?.size ?? 0
  if (sizeBytes < NONCE_BYTES + TAG_BYTES) throw keepErrors.backup_invalid({ reason: 'database' })
  const ends = Buffer.alloc(NONCE_BYTES + TAG_BYTES)
  {
    await using file = await open(path, 'r')
    await file.read(ends, 0, NONCE_BYTES, 0)
    await file.read(ends, NONCE_BYTES, TAG_BYTES, sizeBytes - TAG_BYTES)
  }
  const decipher = createDecipheriv(ALGORITHM, key, ends.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAuthTag(ends.subarray(NONCE_BYTES))
  const sealed = createReadStream(path, { start: NONCE_BYTES, end: sizeBytes - TAG_BYTES - 1 })
  sealed.once('error', (error) => decipher.destroy(error))
  return sealed.pipe(decipher)
}
