import type { Cluster } from '@slipway/contract'

import type { Deps } from '../../deps.ts'

/** Says what should be known about a Cluster, with the next step. */
export function noteWarnings(deps: Pick<Deps, 'io' | 'text'>, { slug, warnings }: Cluster): void {
  for (const warning of warnings) deps.io.note(deps.text(`cluster.warning.${warning}`, { name: slug }))
}
