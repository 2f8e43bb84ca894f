import type { InstanceState } from '@slipway/contract'
import { instanceText } from '@slipway/messages'

import { useText } from '../preferences/text.ts'
import { Status, type Tone } from '../ui/status.tsx'

const tones: Readonly<Record<InstanceState, Tone>> = {
  Pending: 'idle',
  Starting: 'busy',
  Running: 'warn',
  Ready: 'good',
  Failing: 'bad',
  Ending: 'idle',
  Ended: 'idle',
}

export function toneOfInstance(state: InstanceState): Tone {
  return tones[state]
}

export function InstanceStatus({ state }: { readonly state: InstanceState }) {
  const { language } = useText()
  return <Status tone={tones[state]}>{instanceText(language, state, {})}</Status>
}
