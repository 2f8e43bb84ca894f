import type { Clock } from '@slipway/kit'

import type { Digest } from '../format/digest.ts'
import type { RegistryMetadata } from './ports.ts'

const ANNOUNCE_MS = 3_600_000
const TRIES = 25
const WAIT_MS = 200

/** Protects a blob's file from the collector for an hour. Waits a little for a removal that is under way; false when it lasts. */
export async function announceBlob(
  metadata: RegistryMetadata,
  clock: Clock,
  digest: Digest,
  signal?: AbortSignal,
): Promise<boolean> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const now = clock.now()
    if (await metadata.announceBlob({ digest, now, until: new Date(now.getTime() + ANNOUNCE_MS) }))
      return true
    await clock.sleep(WAIT_MS, signal)
  }
  return false
}
