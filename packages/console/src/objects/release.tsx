import type { ReleaseState } from '@slipway/contract'

import { useText } from '../preferences/text.ts'
import { pathTo } from '../routes/path.ts'
import { Go } from '../ui/go.tsx'
import { Status, type Tone } from '../ui/status.tsx'

const tones: Readonly<Record<ReleaseState, Tone>> = {
  Queued: 'idle',
  Placing: 'busy',
  Warming: 'busy',
  Gating: 'busy',
  WaitPerson: 'wait',
  Soak: 'busy',
  Held: 'warn',
  Finishing: 'busy',
  RollingBack: 'warn',
  Done: 'good',
  RolledBack: 'warn',
  Aborted: 'idle',
  Failed: 'bad',
}

export function toneOfRelease(state: ReleaseState): Tone {
  return tones[state]
}

/** How a Release stands; one that a person paused says that first. */
export function ReleaseStatus({
  state,
  paused = false,
}: {
  readonly state: ReleaseState
  readonly paused?: boolean
}) {
  const { text } = useText()
  return paused ? (
    <Status tone="warn">{text('release.paused')}</Status>
  ) : (
    <Status tone={tones[state]}>{text(`release.state.${state}`)}</Status>
  )
}

export function ReleaseLink({ id, number }: { readonly id: string; readonly number: number }) {
  const { text } = useText()
  return <Go to={pathTo('release', { release: id })}>{text('release.one', { number })}</Go>
}
