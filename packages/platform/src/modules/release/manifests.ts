/*
 * The model as Kubernetes objects. Everything generated passes Pod Security `restricted` and carries the labels by which it is
 * found again; names are deterministic, so that a second try meets the first one's object.
 */
import { createHash } from 'node:crypto'

import type { Process } from '@slipway/contract'
import { canonicalJson } from '@slipway/kit'
import type { HttpRouteRule, Objects } from '@slipway/kube'

import { partsOf, type Variable, type Workload } from '../app/index.ts'
import {
  POOL_LABEL,
  PROCESS_LABEL,
  VERSION_LABEL,
  WORKLOAD_LABEL,
  type GatewayFacts,
} from '../fleet/index.ts'
import { countedProcessOf, routedProcessOf, type Version } from './model.ts'
import { placementFields } from './placement.ts'
import type { Shape } from './shape.ts'

export const labels = {
  workload: WORKLOAD_LABEL,
  process: PROCESS_LABEL,
  version: VERSION_LABEL,
  installation: 'slipway/installation',
} as const

/** Which control plane wrote last, and what it wrote. */
export const annotations = { epoch: 'slipway/epoch', applied: 'slipway/applied' } as const

/** Not root, and the same on every cluster; the process runtime gives each Instance a uid of its own instead. */
const USER_ID = 10_001
const NAME_PART_MAX = 27
const LOST_NODE_SECONDS = 10
const PULL_SECRET = 'slipway-pull'

/** The resources a Workload consists of, in the order in which they are applied. */
export const kinds = ['secrets', 'deployments', 'services', 'gateways', 'httproutes'] as const
export type Kind = (typeof kinds)[number]
export type Manifest = { readonly [K in Kind]: { readonly resource: K; readonly object: Objects[K] } }[Kind]

export type ManifestInput = {
  readonly workload: Workload
  readonly shape: Shape
  /** Variables in the clear, by configuration revision. */
  readonly variables: ReadonlyMap<number, readonly Variable[]>
  readonly gateway: GatewayFacts | undefined
  readonly installationId: string
  readonly imageAddress: (image: string) => string
}

/** Everything that should be in the namespace for a Workload. */
export function manifestsOf(input: ManifestInput): Manifest[] {
  const versions = input.shape.versions.flatMap(({ version, instances }) => [
    configSecret(input, version),
    ...Object.entries(version.template.processes).map(([name, process]) =>
      deployment(input, version, { name, process, replicas: instances.get(name) ?? 0 }),
    ),
    ...versionService(input, version),
  ])
  return [...versions, ...stableService(input), ...routing(input)]
}

function cut(text: string): string {
  return text.slice(0, NAME_PART_MAX).replace(/-+$/u, '')
}

/** `<application>-<process>-<hash>`: the name of a version's Deployment and Service. */
export function objectName(workload: Pick<Workload, 'name'>, process: string, hash: string): string {
  return `${cut(partsOf(workload).application)}-${process}-${hash}`
}

function metadata(input: ManifestInput, name: string, more: Readonly<Record<string, string>> = {}) {
  return {
    name,
    namespace: input.workload.namespace,
    labels: { [labels.workload]: input.workload.id, [labels.installation]: input.installationId, ...more },
  }
}

function selectorOf(
  input: Omit<ManifestInput, 'shape'>,
  process: string,
  hash?: string,
): Record<string, string> {
  return {
    [labels.workload]: input.workload.id,
    [labels.process]: process,
    ...(hash === undefined ? {} : { [labels.version]: hash }),
  }
}

function configSecretName(input: Omit<ManifestInput, 'shape'>, version: Version): string {
  return `${cut(partsOf(input.workload).application)}-config-${version.hash}`
}

function configSecret(input: ManifestInput, version: Version): Manifest {
  const variables = input.variables.get(version.configRevision) ?? []
  return {
    resource: 'secrets',
    object: {
      metadata: metadata(input, configSecretName(input, version), { [labels.version]: version.hash }),
      type: 'Opaque',
      immutable: true,
      data: Object.fromEntries(
        variables.map(({ name, value }) => [name, Buffer.from(value, 'utf8').toString('base64')]),
      ),
    },
  }
}

type Shaped = { readonly name: string; readonly process: Process; readonly replicas: number }

function deployment(input: ManifestInput, version: Version, { name, process, replicas }: Shaped): Manifest {
  return {
    resource: 'deployments',
    object: {
      metadata: metadata(input, objectName(input.workload, name, version.hash), {
        [labels.process]: name,
        [labels.version]: version.hash,
      }),
      spec: {
        replicas,
        selector: { matchLabels: selectorOf(input, name, version.hash) },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } },
        revisionHistoryLimit: 2,
        template: podTemplate(input, version, { name, process }),
      },
    },
  }
}

/** The pod of each process of a version, as its Deployment makes it. */
export function podTemplatesOf(
  input: Omit<ManifestInput, 'shape'>,
  version: Version,
): ReadonlyMap<string, PodTemplate> {
  return new Map(
    Object.entries(version.template.processes).map(([name, process]) => [
      name,
      podTemplate(input, version, { name, process }),
    ]),
  )
}

type PodSpec = NonNullable<NonNullable<Objects['deployments']['spec']>['template']['spec']>
export type PodTemplate = {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec: PodSpec
}

function podTemplate(
  input: Omit<ManifestInput, 'shape'>,
  version: Version,
  named: Pick<Shaped, 'name' | 'process'>,
): PodTemplate {
  const restartedAt = [input.workload.restarts[named.name], input.workload.restarts['*']]
    .filter((at) => at !== undefined)
    .sort()
    .at(-1)
  return {
    metadata: {
      labels: {
        ...selectorOf(input, named.name, version.hash),
        [labels.installation]: input.installationId,
      },
      ...(restartedAt === undefined ? {} : { annotations: { 'slipway/restarted-at': restartedAt } }),
    },
    spec: podSpec(input, version, named),
  }
}

function podSpec(
  input: Omit<ManifestInput, 'shape'>,
  version: Version,
  { name, process }: Pick<Shaped, 'name' | 'process'>,
): PodSpec {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: process.graceSeconds,
    // As process 1 an application that knows nothing of signals would not hear SIGTERM, and its orphans would have no parent.
    shareProcessNamespace: true,
    imagePullSecrets: [{ name: PULL_SECRET }],
    securityContext: { runAsNonRoot: true, runAsUser: USER_ID, seccompProfile: { type: 'RuntimeDefault' } },
    ...poolFields(version.template.pool),
    ...placementFields(input.workload, version, name),
    containers: [
      {
        name,
        image: input.imageAddress(version.image),
        imagePullPolicy: 'IfNotPresent',
        ...(process.command === undefined ? {} : { command: process.command }),
        env: identityOf(input, version, { name, process }),
        envFrom: [{ secretRef: { name: configSecretName(input, version) } }],
        resources: resourcesOf(process),
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        ...(process.kind === 'web' ? webFields(process) : {}),
        ...(process.stop === undefined
          ? {}
          : { lifecycle: { preStop: { exec: { command: process.stop } } } }),
      },
    ],
  }
}

/** The nodes of its Pool and no others, also while they keep everybody else out; and not for long on one that is lost. */
function poolFields(pool: string | undefined): Pick<PodSpec, 'nodeSelector' | 'tolerations'> {
  const lost = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].map((key) => ({
    key,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: LOST_NODE_SECONDS,
  }))
  if (pool === undefined) return { tolerations: lost }
  const own = { key: POOL_LABEL, operator: 'Equal', value: pool, effect: 'NoSchedule' }
  return { nodeSelector: { [POOL_LABEL]: pool }, tolerations: [...lost, own] }
}

/** What an Instance can learn about itself without asking. */
function identityOf(
  input: Omit<ManifestInput, 'shape'>,
  version: Version,
  { name, process }: Pick<Shaped, 'name' | 'process'>,
) {
  const { project, application, environment } = partsOf(input.workload)
  return [
    ...(process.kind === 'web'
      ? [
          { name: 'PORT', value: String(process.port) },
          // What listens on loopback unless told otherwise is reached by nobody; where Instances share a host's addresses, the
          // kubelet says another one.
          { name: 'HOST', value: '0.0.0.0' },
        ]
      : []),
    { name: 'SLIPWAY_PROJECT', value: project },
    { name: 'SLIPWAY_APPLICATION', value: application },
    { name: 'SLIPWAY_ENVIRONMENT', value: environment },
    { name: 'SLIPWAY_PROCESS', value: name },
    { name: 'SLIPWAY_VERSION', value: version.hash },
    { name: 'SLIPWAY_INSTANCE', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
  ]
}

function resourcesOf({ resources }: Process) {
  const { cpu, memory, memoryLimit } = resources
  return { requests: { cpu, memory }, limits: { memory: memoryLimit ?? doubled(memory) } }
}

/** Twice a quantity, in the same unit. */
function doubled(quantity: string): string {
  return quantity.replace(/^[0-9.]+/u, (digits) => String(Number(digits) * 2))
}

function webFields(process: Extract<Process, { kind: 'web' }>) {
  const { probe, port } = process
  const action =
    probe.path === undefined
      ? { tcpSocket: { port } }
      : { httpGet: { path: probe.path, port, scheme: 'HTTP' } }
  return {
    ports: [{ name: 'http', containerPort: port, protocol: 'TCP' }],
    startupProbe: {
      ...action,
      periodSeconds: 1,
      timeoutSeconds: probe.timeoutSeconds,
      successThreshold: 1,
      failureThreshold: probe.startSeconds,
    },
    readinessProbe: {
      ...action,
      periodSeconds: 1,
      timeoutSeconds: probe.timeoutSeconds,
      successThreshold: 1,
      failureThreshold: 3,
    },
  }
}

/** One Service per version, so that the route can tell versions apart. */
function versionService(input: ManifestInput, version: Version): Manifest[] {
  const routed = routedProcessOf(version.template)
  if (routed === undefined) return []
  const name = objectName(input.workload, routed, version.hash)
  return [service(input, name, { selector: selectorOf(input, routed, version.hash), hash: version.hash })]
}

/** The Service of the whole Workload, whatever the version: for callers inside the cluster, and where there is no router. */
function stableService(input: ManifestInput): Manifest[] {
  const version = input.shape.versions[0]?.version
  const routed = version && routedProcessOf(version.template)
  return routed === undefined
    ? []
    : [service(input, cut(partsOf(input.workload).application), { selector: selectorOf(input, routed) })]
}

function service(
  input: ManifestInput,
  name: string,
  { selector, hash }: { readonly selector: Record<string, string>; readonly hash?: string },
): Manifest {
  return {
    resource: 'services',
    object: {
      metadata: metadata(input, name, hash === undefined ? {} : { [labels.version]: hash }),
      spec: {
        type: 'ClusterIP',
        selector,
        ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }],
      },
    },
  }
}

function routing(input: ManifestInput): Manifest[] {
  const { gateway, shape, workload } = input
  const weighted = shape.versions.filter(({ version }) => routedProcessOf(version.template) !== undefined)
  if (gateway === undefined || weighted.length === 0) return []
  const name = cut(partsOf(workload).application)
  const rules = rulesOf(input, weighted)
  const main = { parentRefs: [gateway.parent], hostnames: hostnamesOf(workload, gateway), rules }
  const port = ownPortOf(workload, gateway)
  const named: Manifest = { resource: 'httproutes', object: { metadata: metadata(input, name), spec: main } }
  return port === undefined ? [named] : [named, ...ownEntrance(input, { name, port, rules })]
}

/** Where the gateway offers it: a port of the Workload's own, which answers without any name. */
function ownEntrance(
  input: ManifestInput,
  entrance: { readonly name: string; readonly port: number; readonly rules: readonly HttpRouteRule[] },
): Manifest[] {
  const name = `${entrance.name}-own`
  const parent = { group: 'gateway.networking.k8s.io', kind: 'Gateway', name }
  return [
    {
      resource: 'gateways',
      object: {
        metadata: metadata(input, name),
        spec: {
          gatewayClassName: input.gateway?.className ?? '',
          listeners: [
            {
              name: 'http',
              port: entrance.port,
              protocol: 'HTTP',
              allowedRoutes: { namespaces: { from: 'Same' } },
            },
          ],
        },
      },
    },
    {
      resource: 'httproutes',
      object: { metadata: metadata(input, name), spec: { parentRefs: [parent], rules: entrance.rules } },
    },
  ]
}

function rulesOf(input: ManifestInput, weighted: Shape['versions']): HttpRouteRule[] {
  const backend = (version: Version, weight: number) => ({
    group: '',
    kind: 'Service',
    name: objectName(
      input.workload,
      routedProcessOf(version.template) ?? countedProcessOf(version.template),
      version.hash,
    ),
    port: 80,
    weight,
  })
  const byHeader = input.shape.headers.flatMap(({ name, value, hash }): HttpRouteRule[] => {
    const target = weighted.find(({ version }) => version.hash === hash)
    if (!target) return []
    return [
      {
        matches: [{ path: { type: 'PathPrefix', value: '/' }, headers: [{ type: 'Exact', name, value }] }],
        backendRefs: [backend(target.version, 1)],
      },
    ]
  })
  return [
    ...byHeader,
    {
      matches: [{ path: { type: 'PathPrefix', value: '/' } }],
      backendRefs: weighted.map(({ version, weight }) => backend(version, weight)),
    },
  ]
}

/** The port a Workload answers at, whatever the Host. */
function ownPortOf(workload: Workload, gateway: GatewayFacts): number | undefined {
  if (gateway.ownPorts === undefined) return undefined
  const { from, to } = gateway.ownPorts
  return from + (workload.ordinal % (to - from + 1))
}

export function hostnamesOf(workload: Workload, gateway: GatewayFacts): string[] {
  const { project, application, environment } = partsOf(workload)
  return [`${application}.${environment}.${project}.${gateway.domain}`]
}

/** Every address the routed process answers at; the one that needs no name resolution last. */
export function urlsOf(workload: Workload, gateway: GatewayFacts | undefined): string[] {
  if (gateway === undefined) return []
  const port = ownPortOf(workload, gateway)
  const base = new URL(gateway.url)
  const named = hostnamesOf(workload, gateway).map(
    (host) => `${base.protocol}//${host}${base.port === '' ? '' : `:${base.port}`}`,
  )
  return port === undefined ? named : [...named, `http://127.0.0.1:${port}`]
}

/** Fingerprint of what we asked for, kept on the object: tells our own change from somebody else's. */
export function fingerprintOf(object: unknown): string {
  return createHash('sha256').update(canonicalJson(object)).digest('hex').slice(0, 16)
}
