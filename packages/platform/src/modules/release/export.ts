import { stringify } from 'yaml'
import { apiVersionOf, type Objects } from '@slipway/kube'

import type { Workload } from '../app/index.ts'
import type { GatewayFacts } from '../fleet/index.ts'
import { manifestsOf, type Manifest } from './manifests.ts'
import type { Release } from './model.ts'
import { shapeOf } from './shape.ts'

const kindNames: Readonly<Record<Manifest['resource'], string>> = {
  secrets: 'Secret',
  deployments: 'Deployment',
  services: 'Service',
  gateways: 'Gateway',
  httproutes: 'HTTPRoute',
}

export type ExportInput = {
  readonly workload: Workload
  readonly serving: Release
  readonly variables: readonly { readonly name: string; readonly secret: boolean; readonly value: string }[]
  readonly gateway: GatewayFacts | undefined
  readonly installationId: string
  readonly imageAddress: (image: string) => string
}

/** What serves now as plain Kubernetes YAML. Secret values are placeholders: an export is read by people and kept in files. */
export function exportYaml(input: ExportInput): string {
  const { workload, serving } = input
  const shape = shapeOf({
    active: undefined,
    serving,
    retained: undefined,
    retainedInstances: null,
    instances: workload.instances,
    hasRouter: input.gateway !== undefined,
    newReady: 0,
    oldReady: 0,
    newPresent: null,
    drained: true,
  })
  const variables = input.variables.map((variable) =>
    variable.secret ? { ...variable, value: `replace-${variable.name}` } : variable,
  )
  const manifests = manifestsOf({
    workload,
    shape,
    variables: new Map([[serving.configRevision, variables]]),
    // A Gateway of the Workload's own is a convenience of one cluster, not part of what runs.
    gateway: input.gateway && { ...input.gateway, ownPorts: undefined },
    installationId: input.installationId,
    imageAddress: input.imageAddress,
  })
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: workload.namespace } }
  return [namespace, ...manifests.map(documentOf)]
    .map((document) => stringify(document, { aliasDuplicateObjects: false }))
    .join('---\n')
}

function documentOf({ resource, object }: Manifest): Objects[Manifest['resource']] {
  const readable = resource === 'secrets' ? secretText(object) : object
  return { apiVersion: apiVersionOf(resource), kind: kindNames[resource], ...readable }
}

/** `stringData`, which a person can read and edit. */
function secretText(secret: Objects['secrets']): Objects['secrets'] {
  const { data, ...rest } = secret
  const texts = Object.entries(data ?? {}).map(([name, value]) => [
    name,
    Buffer.from(value, 'base64').toString('utf8'),
  ])
  return { ...rest, stringData: Object.fromEntries(texts) }
}
