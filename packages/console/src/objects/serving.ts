import type { Release, Workload } from '@slipway/contract'

import { useAnswer } from '../data/queries.ts'

/** The Release that serves a Workload now; undefined while nothing does. */
export function useServing(workload: Workload): Release | undefined {
  const states = useAnswer('searchWorkloads', {
    application: workload.applicationId,
    environment: workload.environmentId,
    limit: 1,
  })
  const id = states.data?.items[0]?.serving?.id
  return useAnswer('getRelease', { release: id ?? '' }, { enabled: id !== undefined }).data
}
