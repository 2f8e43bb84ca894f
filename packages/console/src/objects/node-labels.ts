import type { NodeLabel } from '@slipway/contract'
import { MINUTE_MS } from '@slipway/kit'

import { useAnswer } from '../data/queries.ts'

/** The labels that the nodes of a Cluster carry, to choose from; none while it does not answer. */
export function useNodeLabels(cluster: string): readonly NodeLabel[] {
  const { data } = useAnswer('listNodeLabels', { cluster }, { quiet: true, freshMs: MINUTE_MS })
  return data?.items ?? []
}
