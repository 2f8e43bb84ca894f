import { messageOf, SECOND_MS } from '@slipway/kit'
import { eachObject, KubeError, type Kube } from '@slipway/kube'

import type { Platform } from '../../context.ts'
import { amountOf, sumOf } from '../fleet/index.ts'
import type { Amount } from './model.ts'

/** How long what was measured is good, in ms: metrics servers measure every 15 s. */
const FRESH_MS = 10 * SECOND_MS
const TIMEOUT_MS = 10 * SECOND_MS

type PodUses = ReadonlyMap<string, Amount>
type Reading = { readonly atMs: number; readonly uses: Promise<PodUses> }

export type Uses = {
  /** Use by `<namespace>/<name>` of every pod of a Cluster; empty where it does not measure, or not for us. */
  readonly ofPods: (clusterId: string, kube: Kube) => Promise<PodUses>
  /** Use of a node with everything that is no pod. */
  readonly ofNode: (kube: Kube, node: string, signal: AbortSignal) => Promise<Amount | undefined>
}

/**
 * What is used on Clusters now. Metrics cannot be asked for by node, so all of them are read, and kept for a moment for everybody who looks.
 */
export function readUses({ clock, log }: Pick<Platform, 'clock' | 'log'>): Uses {
  const readings = new Map<string, Reading>()

  /** A Cluster without metrics is a Cluster without figures, not a failure. */
  async function unlessUnmeasured<T>(ask: () => Promise<T>, otherwise: T): Promise<T> {
    try {
      return await ask()
    } catch (thrown) {
      if (!(thrown instanceof KubeError)) throw thrown
      log.debug({ error: messageOf(thrown) }, 'no use is known')
      return otherwise
    }
  }

  async function readPods(kube: Kube): Promise<PodUses> {
    const uses = new Map<string, Amount>()
    for await (const { metadata, containers } of eachObject(kube, 'podmetrics', { timeoutMs: TIMEOUT_MS }))
      uses.set(
        `${metadata.namespace}/${metadata.name}`,
        sumOf(containers.map(({ usage }) => amountOf(usage))),
      )
    return uses
  }

  return {
    async ofPods(clusterId, kube) {
      const nowMs = clock.monotonicMs()
      for (const [id, { atMs }] of readings) if (nowMs - atMs > FRESH_MS) readings.delete(id)
      const known = readings.get(clusterId)
      if (known) return known.uses
      const uses = unlessUnmeasured(() => readPods(kube), new Map<string, Amount>())
      readings.set(clusterId, { atMs: nowMs, uses })
      return uses
    },
    ofNode: (kube, node, signal) =>
      unlessUnmeasured(async () => {
        const { usage } = await kube.get('nodemetrics', { name: node }, { signal, timeoutMs: TIMEOUT_MS })
        return amountOf(usage)
      }, undefined),
  }
}
