import type { InstanceState } from '@slipway/contract'
import { instanceText } from '@slipway/messages'

import { useText } from '../preferences/text.ts'
import { pathTo } from '../routes/path.ts'
import { Go } from '../ui/go.tsx'
import { Status, type Tone } from '../ui/status.tsx'
import { shortName } from './instance-name.ts'

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

/** An Instance by the short form of its name; the whole one shows under the pointer. */
export function InstanceLink({ id, name }: { readonly id: string; readonly name: string }) {
  return (
    <span title={name}>
      <Go to={pathTo('instance', { instance: id })}>
        <code>{shortName(id)}</code>
      </Go>
    </span>
  )
}
