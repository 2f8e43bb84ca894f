import type { BuildState } from '@slipway/contract'

import { useText } from '../preferences/text.ts'
import { Status, type Tone } from '../ui/status.tsx'

const tones: Readonly<Record<BuildState, Tone>> = {
  Queued: 'idle',
  Fetching: 'busy',
  Running: 'busy',
  Publishing: 'busy',
  Succeeded: 'good',
  Failed: 'bad',
  Cancelled: 'idle',
}

export function BuildStatus({ state }: { readonly state: BuildState }) {
  const { text } = useText()
  return <Status tone={tones[state]}>{text(`build.state.${state}`)}</Status>
}

export function isBuildOver(state: BuildState): boolean {
  return state === 'Succeeded' || state === 'Failed' || state === 'Cancelled'
}

/** The beginning of a commit's id, as people name it. */
export function shortCommit(commit: string): string {
  return commit.slice(0, 10)
}
