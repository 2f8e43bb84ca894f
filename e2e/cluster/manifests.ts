import type { Objects } from '@slipway/kube'

export function configMap(
  namespace: string,
  name: string,
  data: Readonly<Record<string, string>> = {},
  metadata: Objects['configmaps']['metadata'] = {},
): Objects['configmaps'] {
  return { metadata: { namespace, name, ...metadata }, data }
}

/** Simulated nodes of the embedded cluster keep away what does not ask for them. */
const tolerations = [{ key: 'slipway/simulated', operator: 'Exists' }]

export function pod(
  namespace: string,
  name: string,
  nodeSelector: Readonly<Record<string, string>>,
  metadata: Objects['pods']['metadata'] = {},
): Objects['pods'] {
  return {
    metadata: { namespace, name, ...metadata },
    spec: {
      nodeSelector,
      tolerations,
      containers: [{ name: 'main', image: 'example.com/app:1' }],
      terminationGracePeriodSeconds: 1,
    },
  }
}

export type DeploymentParts = {
  readonly nodeSelector?: Readonly<Record<string, string>>
  readonly replicas?: number
  readonly image?: string
  readonly selector?: Readonly<Record<string, string>>
  readonly templateLabels?: Readonly<Record<string, string>>
}

export function deployment(
  namespace: string,
  name: string,
  parts: DeploymentParts = {},
): Objects['deployments'] {
  const labels = { app: name }
  return {
    metadata: { namespace, name, labels },
    spec: {
      replicas: parts.replicas ?? 2,
      selector: { matchLabels: parts.selector ?? labels },
      template: {
        metadata: { labels: parts.templateLabels ?? labels },
        spec: {
          // No node has such a label: where none is given, nothing is to run.
          nodeSelector: parts.nodeSelector ?? { none: 'such' },
          tolerations,
          terminationGracePeriodSeconds: 1,
          containers: [
            { name: 'main', image: parts.image ?? 'example.com/app:1', ports: [{ containerPort: 8080 }] },
          ],
        },
      },
    },
  }
}
