/*
 * Many Applications and Instances to look at. Applications, Environments and Workloads are made through the API; the Instances
 * are pods of a real control plane on nodes that run nothing, made directly with the labels by which the platform knows whose
 * they are: releasing 700 Workloads would take longer than everything that is measured.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { type ApiClient, apiClient, eachIndex } from './api-client.ts'
import type { Call, Json } from './api.ts'

export type Size = { readonly applications: number; readonly instances: number; readonly nodes: number }

type Pod = { readonly namespace: string; readonly name: string }
export type Fleet = Disposable & {
  readonly clusterId: string
  /** Lets so many Instances restart a second until the signal; returns how many did. */
  readonly keepChanging: (perSecond: number, signal: AbortSignal) => Promise<number>
}

const PER_PROJECT = 100
const CONNECTIONS = 16
const READY_DEADLINE_MS = 300_000

/** @param cluster - registered, by slug; `kubeconfigPath` may do everything there */
export async function makeFleet(
  call: Call,
  { cluster, kubeconfigPath, size }: { cluster: string; kubeconfigPath: string; size: Size },
): Promise<Fleet> {
  const client = apiClient(kubeconfigPath, CONNECTIONS)
  const workloads = await makeWorkloads(() => call, { cluster, size, perProject: PER_PROJECT })
  for (const namespace of new Set(workloads.map((one) => one.namespace)))
    await openNamespace(client, namespace)
  const pods: Pod[] = []
  await eachIndex(size.instances, CONNECTIONS, async (index) => {
    const workload = workloads[index % workloads.length]
    if (workload === undefined) throw new Error('there are no Workloads')
    const node = `kwok-${index % size.nodes}`
    const pod = podOf(workload, node, index)
    await client.call('POST', podsPath(workload.namespace), pod)
    pods.push({ namespace: workload.namespace, name: pod.metadata.name })
  })
  const { items } = (await call('GET', '/v1/clusters')) as { items?: readonly Json[] }
  const clusterId = String(items?.find((one) => one['slug'] === cluster)?.['id'])
  await untilReady(call, clusterId, size.instances)
  return {
    clusterId,
    keepChanging: (perSecond, signal) => keepChanging(client, pods, perSecond, signal),
    [Symbol.dispose]: () => client[Symbol.dispose](),
  }
}

export type Workload = {
  readonly id: string
  readonly namespace: string
  /** Slugs. */
  readonly project: string
  readonly application: string
}

/** @param callOf - by the number of a Project: each account may change only so much in a minute */
export async function makeWorkloads(
  callOf: (project: number) => Call,
  { cluster, size, perProject }: { cluster: string; size: Omit<Size, 'instances'>; perProject: number },
): Promise<readonly Workload[]> {
  const made: Workload[] = []
  let organization: string | undefined
  for (let first = 0; first < size.applications; first += perProject) {
    const call = callOf(first / perProject)
    const make = async (path: string, body: unknown): Promise<string> =>
      String((await call('POST', path, body))['id'])
    organization ??= await make('/v1/organizations', { slug: 'fleet', name: 'Fleet' })
    const slug = `team-${first / perProject}`
    const project = await make(`/v1/organizations/${organization}/projects`, { slug, name: slug })
    const environment = await make(`/v1/projects/${project}/environments`, {
      slug: 'production',
      name: 'production',
      cluster,
    })
    await eachIndex(Math.min(perProject, size.applications - first), 4, async (index) => {
      const application = `app-${first + index}`
      const id = await make(`/v1/projects/${project}/applications`, { slug: application })
      const workload = await call('POST', `/v1/applications/${id}/workloads`, { environment })
      const { id: workloadId, namespace } = workload
      made.push({ id: String(workloadId), namespace: String(namespace), project: slug, application })
    })
  }
  return made
}

async function openNamespace(client: ApiClient, name: string): Promise<void> {
  await client.call('POST', '/api/v1/namespaces', { metadata: { name } })
  const deadline = performance.now() + READY_DEADLINE_MS
  const path = `/api/v1/namespaces/${name}/serviceaccounts/default`
  // The controller manager makes it a moment later; before that pods are refused.
  while (!(await client.call('GET', path).catch(() => undefined))) {
    if (performance.now() > deadline) throw new Error(`the ServiceAccount of ${name} did not come`)
    await sleep(50)
  }
}

function podsPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/pods`
}

function podOf({ id, application }: Workload, node: string, index: number) {
  const version = application.slice(4).padStart(8, '0')
  return {
    metadata: {
      name: `${application}-web-${version}-${index.toString(36).padStart(5, '0')}`,
      labels: { 'slipway/workload': id, 'slipway/process': 'web', 'slipway/version': version },
    },
    spec: {
      nodeName: node,
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'web',
          image: 'registry.example.com/team/application:1',
          resources: { requests: { cpu: '50m', memory: '64Mi' } },
        },
      ],
    },
  }
}

async function untilReady(call: Call, cluster: string, count: number): Promise<void> {
  const deadline = performance.now() + READY_DEADLINE_MS
  for (;;) {
    const page = await call('GET', `/v1/instances?cluster=${cluster}&state=Ready&limit=1`)
    if (page['total'] === count) return
    if (performance.now() > deadline) throw new Error(`only ${String(page['total'])} of ${count} are ready`)
    await sleep(1_000)
  }
}

/** Restarts counted by nobody but the pod's own status. */
async function keepChanging(
  client: ApiClient,
  pods: readonly Pod[],
  perSecond: number,
  signal: AbortSignal,
): Promise<number> {
  let changed = 0
  const begin = performance.now()
  while (!signal.aborted) {
    const due = Math.floor(((performance.now() - begin) / 1_000) * perSecond) - changed
    for (let index = 0; index < due; index += 1) {
      const pod = pods[(changed * 37) % pods.length]
      if (pod) await restart(client, pod, changed)
      changed += 1
    }
    await sleep(50, undefined, { signal }).catch(() => undefined)
  }
  return changed
}

async function restart(client: ApiClient, { namespace, name }: Pod, restarts: number): Promise<void> {
  const path = `${podsPath(namespace)}/${name}`
  const pod = JSON.parse((await client.call('GET', path)).toString('utf8')) as {
    readonly status?: { readonly containerStatuses?: readonly Json[] }
  }
  const containerStatuses = (pod.status?.containerStatuses ?? []).map((one) => ({
    ...one,
    restartCount: (restarts % 9) + 1,
  }))
  const body = { status: { containerStatuses } }
  await client.call('PATCH', `${path}/status`, body, 'application/merge-patch+json')
}
