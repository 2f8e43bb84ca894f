import type { Instance } from '@slipway/contract'

/** Of the Instances of a Workload the one of its newest Release: versions that are only kept for a rollback are ready too. */
export function newestOf<T extends Pick<Instance, 'releaseNumber'>>(instances: readonly T[]): T | undefined {
  let newest: T | undefined
  for (const instance of instances)
    if (newest === undefined || (instance.releaseNumber ?? 0) > (newest.releaseNumber ?? 0)) newest = instance
  return newest
}
