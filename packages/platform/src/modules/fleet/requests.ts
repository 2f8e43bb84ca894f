import type { Live } from '@slipway/kube'

import { quantityOf } from './facts.ts'

type PodSpec = NonNullable<Live<'pods'>['spec']>
type Container = PodSpec['containers'][number]

export type Amount = { readonly cpuCores: number; readonly memoryBytes: number }

export function amountOf(resources: Readonly<Record<string, string>> | undefined): Amount {
  return { cpuCores: quantityOf(resources?.['cpu']), memoryBytes: quantityOf(resources?.['memory']) }
}

export function sumOf(amounts: readonly Amount[]): Amount {
  return amounts.reduce(
    (sum, { cpuCores, memoryBytes }) => ({
      cpuCores: sum.cpuCores + cpuCores,
      memoryBytes: sum.memoryBytes + memoryBytes,
    }),
    { cpuCores: 0, memoryBytes: 0 },
  )
}

/**
 * What the scheduler sets aside for a pod: its containers together, or one of those that run before them, if that is more.
 * https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
 */
export function requestsOf(spec: Pick<PodSpec, 'containers' | 'initContainers'> | undefined): Amount {
  const of = ({ resources }: Container): Amount => amountOf(resources?.requests)
  const before = spec?.initContainers ?? []
  const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always'
  const together = sumOf([...(spec?.containers ?? []), ...before.filter(isSidecar)].map(of))
  return before
    .filter((one) => !isSidecar(one))
    .map(of)
    .reduce(
      (most, one) => ({
        cpuCores: Math.max(most.cpuCores, one.cpuCores),
        memoryBytes: Math.max(most.memoryBytes, one.memoryBytes),
      }),
      together,
    )
}
