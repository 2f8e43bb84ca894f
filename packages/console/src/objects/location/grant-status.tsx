import type { LocationGrant } from '@slipway/contract'

import { useText } from '../../preferences/text.ts'
import { Status, type Tone } from '../../ui/status.tsx'

const tones: Readonly<Record<LocationGrant['state'], Tone>> = {
  Requested: 'wait',
  Granted: 'good',
  Refused: 'bad',
  Ended: 'warn',
}

/** How a request for a Location, or a grant of it, stands. */
export function GrantStatus({ grant: { state } }: { readonly grant: Pick<LocationGrant, 'state'> }) {
  const { text } = useText()
  return <Status tone={tones[state]}>{text(`location.state.${state}`)}</Status>
}
