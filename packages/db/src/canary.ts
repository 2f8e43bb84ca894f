import type { Envelope, EnvelopeOwner } from '@slipway/kit'
import { defineErrors } from '@slipway/kit'

const canaryErrors = defineErrors({
  /** The secrets in `place` were sealed with another master key. */
  master_key_wrong: { status: 500 },
})

const PLAIN = 'slipway'

/** A sealed word that only the master key it was made with can open. Stored beside secrets, it tells a wrong key at the start. */
export function sealCanary(envelope: Envelope, place: string): string {
  return envelope.seal(PLAIN, ownerOf(place))
}

/**
 * @param place - what the canary was sealed for: `database`, `data-folder`
 * @throws {AppError} `master_key_wrong`
 */
export function checkCanary(envelope: Envelope, sealed: string, place: string): void {
  try {
    if (envelope.open(sealed, ownerOf(place)).toString('utf8') === PLAIN) return
  } catch (cause) {
    throw canaryErrors.master_key_wrong({ place }, { cause })
  }
  throw canaryErrors.master_key_wrong({ place })
}

function ownerOf(place: string): EnvelopeOwner {
  return ['installation', 'canary', place, '1']
}
