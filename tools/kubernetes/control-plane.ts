/*
 * One control plane on loopback: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, and kwok for nodes that only
 * pretend to run pods. Everything lies in one folder; ports are found by binding them, because several run side by side.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { type ApiAccess, apiRequest, createObject } from './api-request.ts'
import { type ChildProcesses } from './child-processes.ts'
import type { clusterPrograms } from './parts.ts'

const READY_DEADLINE_MS = 90_000

type ControlPlaneOptions = {
  /** Exists, is empty, and belongs to this control plane alone. */
  readonly folder: string
  readonly programs: Readonly<Record<(typeof clusterPrograms)[number], string>>
  /** Folder of CRD manifests to apply. */
  readonly crdFolder: string
  readonly kwokNodes: number
}

/** What the supervisor's process is started with; a detached one does not end with its parent. */
export type SupervisorOptions = ControlPlaneOptions & { readonly detached: boolean }

export type ControlPlane = {
  readonly kubeconfigPath: string
  readonly adminToken: string
  readonly apiUrl: string
}

/** Starts everything and resolves when objects can be created and the nodes are Ready. */
export async function startControlPlane(
  options: ControlPlaneOptions,
  children: ChildProcesses,
): Promise<ControlPlane> {
  const ports = await freePorts()
  const adminToken = randomBytes(24).toString('base64url')
  const paths = prepareFolder(options.folder, adminToken)
  const apiUrl = `https://127.0.0.1:${ports.api}`

  children.start(options.programs.etcd, etcdFlags(options.folder, ports))
  children.start(options.programs['kube-apiserver'], apiserverFlags(paths, ports))
  const certificatePath = join(paths.certificates, 'apiserver.crt')
  const certificateAuthority = await eventually('the certificate of the API server', () =>
    readFileSync(certificatePath, 'utf8'),
  )
  const access: ApiAccess = { apiUrl, certificateAuthority, adminToken }
  const kubeconfigPath = join(options.folder, 'kubeconfig')
  writeFileSync(kubeconfigPath, kubeconfigOf(access), { mode: 0o600 })
  await eventually('the API server', async () => (await apiRequest(access, 'GET', '/readyz')).code === 200)

  const common = ['--kubeconfig', kubeconfigPath]
  const managers = [...common, '--leader-elect=false', '--bind-address=127.0.0.1', '--kube-api-qps=500']
  children.start(options.programs['kube-controller-manager'], [
    ...managers,
    `--secure-port=${ports.controllerManager}`,
    '--kube-api-burst=1000',
    `--service-account-private-key-file=${paths.serviceAccountKey}`,
    `--root-ca-file=${certificatePath}`,
  ])
  children.start(options.programs['kube-scheduler'], [
    ...managers,
    `--secure-port=${ports.scheduler}`,
    '--kube-api-burst=1000',
  ])
  // Without leases the nodes turn NotReady after 40 s, and with them every pod.
  children.start(options.programs.kwok, [
    ...common,
    '--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake',
    '--node-lease-duration-seconds=40',
    `--server-address=127.0.0.1:${ports.kwok}`,
  ])

  await applyCrds(access, options.crdFolder)
  await createNodes(access, options.kwokNodes)
  await eventually(
    'the default ServiceAccount',
    async () =>
      (await apiRequest(access, 'GET', '/api/v1/namespaces/default/serviceaccounts/default')).code === 200,
  )
  return { kubeconfigPath, adminToken, apiUrl }
}

type Ports = Readonly<
  Record<'etcdClient' | 'etcdPeer' | 'api' | 'controllerManager' | 'scheduler' | 'kwok', number>
>

/** Holds all probes open at once, so that no port is handed out twice. */
async function freePorts(): Promise<Ports> {
  const names = ['etcdClient', 'etcdPeer', 'api', 'controllerManager', 'scheduler', 'kwok'] as const
  const probes = await Promise.all(
    names.map(
      (name) =>
        new Promise<{ readonly name: string; readonly port: number; readonly close: () => Promise<void> }>(
          (resolve, reject) => {
            const server = createServer()
            server.once('error', reject)
            server.listen(0, '127.0.0.1', () => {
              const address = server.address()
              const port = typeof address === 'object' && address ? address.port : 0
              const close = (): Promise<void> => new Promise((done) => server.close(() => done()))
              resolve({ name, port, close })
            })
          },
        ),
    ),
  )
  await Promise.all(probes.map((probe) => probe.close()))
  return Object.fromEntries(probes.map((probe) => [probe.name, probe.port])) as Ports
}

type Paths = Readonly<Record<'certificates' | 'tokens' | 'serviceAccountKey', string>>

function prepareFolder(folder: string, adminToken: string): Paths {
  for (const name of ['logs', 'certificates']) mkdirSync(join(folder, name), { recursive: true })
  const paths = {
    certificates: join(folder, 'certificates'),
    tokens: join(folder, 'tokens.csv'),
    serviceAccountKey: join(folder, 'service-account.key'),
  }
  writeFileSync(paths.tokens, `${adminToken},admin,admin,"system:masters"\n`, { mode: 0o600 })
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  })
  writeFileSync(paths.serviceAccountKey, privateKey, { mode: 0o600 })
  return paths
}

function etcdFlags(folder: string, ports: Ports): string[] {
  const client = `http://127.0.0.1:${ports.etcdClient}`
  const peer = `http://127.0.0.1:${ports.etcdPeer}`
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--log-level=warn',
    // The data is thrown away with the cluster.
    '--unsafe-no-fsync',
  ]
}

function apiserverFlags(paths: Paths, ports: Ports): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcdClient}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${ports.api}`,
    `--cert-dir=${paths.certificates}`,
    `--token-auth-file=${paths.tokens}`,
    `--service-account-key-file=${paths.serviceAccountKey}`,
    `--service-account-signing-key-file=${paths.serviceAccountKey}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.0.0.0/16',
    '--allow-privileged',
    '--kubelet-preferred-address-types=InternalIP',
  ]
}

function kubeconfigOf(access: ApiAccess): string {
  const certificate = Buffer.from(access.certificateAuthority).toString('base64')
  return `apiVersion: v1
kind: Config
current-context: real
clusters:
  - name: real
    cluster:
      server: ${access.apiUrl}
      certificate-authority-data: ${certificate}
users:
  - name: admin
    user:
      token: ${access.adminToken}
contexts:
  - name: real
    context:
      cluster: real
      user: admin
`
}

async function applyCrds(access: ApiAccess, folder: string): Promise<void> {
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  const files = readdirSync(folder).filter((file) => file.startsWith('gateway.networking.k8s.io_'))
  await Promise.all(
    files.map((file) =>
      createObject(access, path, readFileSync(join(folder, file), 'utf8'), 'application/yaml'),
    ),
  )
  await eventually('the Gateway API', async () => {
    const reply = await apiRequest(access, 'GET', '/apis/gateway.networking.k8s.io/v1/httproutes')
    return reply.code === 200
  })
}

async function createNodes(access: ApiAccess, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `kwok-${index}`)
  for (const name of names) await createObject(access, '/api/v1/nodes', JSON.stringify(kwokNode(name)))
  await eventually(`${count} nodes`, async () => {
    const { items } = JSON.parse((await apiRequest(access, 'GET', '/api/v1/nodes')).text) as NodeList
    return items.filter((node) => isReady(node)).length === count
  })
}

type NodeList = {
  readonly items: readonly {
    readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
  }[]
}

function isReady(node: NodeList['items'][number]): boolean {
  return node.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false
}

function kwokNode(name: string): object {
  const resources = { cpu: '32', memory: '256Gi', pods: '1000', 'ephemeral-storage': '1Ti' }
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      annotations: { 'kwok.x-k8s.io/node': 'fake' },
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        type: 'kwok',
      },
    },
    status: { allocatable: resources, capacity: resources },
  }
}

/** Asks until the answer is there; whatever fails before that is "not yet". */
async function eventually<T>(what: string, ask: () => Promise<T> | T): Promise<T> {
  const deadlineMs = Date.now() + READY_DEADLINE_MS
  let last: unknown = 'no'
  for (;;) {
    try {
      const answer = await ask()
      if (answer) return answer
    } catch (error) {
      last = error
    }
    if (Date.now() > deadlineMs)
      throw new Error(`${what} did not come up in ${READY_DEADLINE_MS} ms: ${String(last)}`)
    await sleep(50)
  }
}
