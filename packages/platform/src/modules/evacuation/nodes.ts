import type { CallOptions, Kube, Live } from '@slipway/kube'

/** Whether a node takes Instances. Idempotent. @throws {KubeError} `Forbidden` where our account was registered without that right */
export async function setSchedulable(
  kube: Kube,
  { node, schedulable }: { readonly node: string; readonly schedulable: boolean },
  options: CallOptions & { readonly dryRun?: boolean },
): Promise<Live<'nodes'>> {
  // Absent and false are the same; null takes the field away.
  const body = { spec: { unschedulable: schedulable ? null : true } }
  return kube.patch(
    'nodes',
    { name: node },
    { type: 'merge', body },
    { manager: 'slipway-evacuation', ...options },
  )
}
