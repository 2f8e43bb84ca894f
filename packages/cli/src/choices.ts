import type { InstanceState } from '@slipway/contract'

/** Written out, because importing the schema would double the time of the start; the type keeps it right. */
export const instanceStates = [
  'Pending',
  'Starting',
  'Running',
  'Ready',
  'Failing',
  'Ending',
  'Ended',
] as const satisfies readonly InstanceState[]
