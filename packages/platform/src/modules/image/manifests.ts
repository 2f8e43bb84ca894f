import type { Objects } from '@slipway/kube'

/** Name of the pull secret in every namespace of ours. */
export const PULL_SECRET = 'slipway-pull'
export const MANAGER = 'slipway-image'

type Namespace = {
  readonly name: string
  readonly installationId: string
  readonly labels: Readonly<Record<string, string>>
}

/** The namespace, in which nothing runs that Pod Security `restricted` would not let in. */
export function namespaceManifest(namespace: Namespace): Objects['namespaces'] {
  return {
    metadata: {
      name: namespace.name,
      labels: {
        'slipway/installation': namespace.installationId,
        ...namespace.labels,
        'pod-security.kubernetes.io/enforce': 'restricted',
      },
    },
  }
}

export function pullSecretManifest(input: {
  readonly namespace: string
  readonly installationId: string
  readonly registry: string
  readonly username: string
  readonly password: string
}): Objects['secrets'] {
  const { registry, username, password } = input
  const auth = Buffer.from(`${username}:${password}`).toString('base64')
  const config = JSON.stringify({ auths: { [registry]: { username, password, auth } } })
  return {
    metadata: {
      name: PULL_SECRET,
      namespace: input.namespace,
      labels: { 'slipway/installation': input.installationId },
    },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(config).toString('base64') },
  }
}
