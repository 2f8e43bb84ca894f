/*
 * One control plane, on loopback unless it has nodes elsewhere: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, and kwok for nodes that only
 * pretend to run pods. Everything lies in one folder; ports are found by binding them, because several run side by side.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { type ApiAccess, apiRequest, createObject } from './api-request.ts'
import { type ChildProcesses } from './child-processes.ts'
import { eventually } from './eventually.ts'
import { freePorts } from './free-ports.ts'
import type { NodesOptions } from './cluster-nodes.ts'
import type { clusterPrograms } from './parts.ts'
import { identify, type ProcessIdentity } from './process-identity.ts'

const LOOPBACK = '127.0.0.1'

export type ControlPlaneOptions = {
  /** Exists, is empty, and belongs to this control plane alone. */
  readonly folder: string
  readonly programs: Readonly<Record<(typeof clusterPrograms)[number], string>>
  /** Folder of CRD manifests to apply. */
  readonly crdFolder: string
  readonly kwokNodes: number
  /** Where the API server listens. */
  readonly address?: string
  /** Who else may call the API server, beside the administrator. */
  readonly users?: readonly ClusterUser[]
  /** What else the API server is started with. */
  readonly apiserverFlags?: readonly string[]
}

export type ClusterUser = { readonly name: string; readonly group: string; readonly token: string }

/** What the supervisor's process is started with; a detached one does not end with its parent. */
export type SupervisorOptions = Pick<
  ControlPlaneOptions,
  'folder' | 'programs' | 'crdFolder' | 'kwokNodes'
> & { readonly detached: boolean; readonly nodes?: NodesOptions }

export type ControlPlane = {
  readonly kubeconfigPath: string
  readonly adminToken: string
  readonly apiUrl: string
  readonly certificateAuthority: string
  readonly apiServer: ProcessIdentity
}

/** Starts everything and resolves when objects can be created and the nodes are Ready. */
export async function startControlPlane(
  options: ControlPlaneOptions,
  children: ChildProcesses,
): Promise<ControlPlane> {
  const address = options.address ?? LOOPBACK
  const ports = await portsAt(address)
  const adminToken = randomBytes(24).toString('base64url')
  const paths = prepareFolder(options.folder, adminToken, options.users ?? [])
  const apiUrl = `https://${address}:${ports.api}`

  children.start(options.programs.etcd, etcdFlags(options.folder, ports))
  const apiServer = children.start(options.programs['kube-apiserver'], [
    ...apiserverFlags(paths, address, ports),
    ...(options.apiserverFlags ?? ['--authorization-mode=RBAC']),
  ])
  const certificateAuthority = await eventually(
    'the certificate of the API server',
    // Empty between its making and its writing.
    () => readFileSync(certificatePath(options.folder), 'utf8') || undefined,
  )
  const access: ApiAccess = { apiUrl, certificateAuthority, adminToken }
  const kubeconfigPath = join(options.folder, 'kubeconfig')
  writeKubeconfig(kubeconfigPath, access, adminToken)
  await eventually('the API server', async () => (await apiRequest(access, 'GET', '/readyz')).code === 200)
  startManagers(options, children, ports, paths)
  if (options.kwokNodes > 0 || options.address === undefined)
    // Without leases the nodes turn NotReady after 40 s, and with them every pod.
    children.start(options.programs.kwok, [
      `--kubeconfig=${kubeconfigPath}`,
      '--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake',
      '--node-lease-duration-seconds=40',
      `--server-address=${LOOPBACK}:${ports.kwok}`,
    ])

  await applyCrds(access, options.crdFolder)
  await createNodes(access, options.kwokNodes)
  await eventually(
    'the default ServiceAccount',
    async () =>
      (await apiRequest(access, 'GET', '/api/v1/namespaces/default/serviceaccounts/default')).code === 200,
  )
  return { kubeconfigPath, adminToken, apiUrl, certificateAuthority, apiServer: identify(apiServer.pid) }
}

function startManagers(
  options: ControlPlaneOptions,
  children: ChildProcesses,
  ports: Ports,
  paths: Paths,
): void {
  const flags = [
    `--kubeconfig=${join(options.folder, 'kubeconfig')}`,
    '--leader-elect=false',
    `--bind-address=${LOOPBACK}`,
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
  ]
  children.start(options.programs['kube-controller-manager'], [
    ...flags,
    `--secure-port=${ports.controllerManager}`,
    `--service-account-private-key-file=${paths.serviceAccountKey}`,
    `--root-ca-file=${certificatePath(options.folder)}`,
  ])
  children.start(options.programs['kube-scheduler'], [...flags, `--secure-port=${ports.scheduler}`])
}

/** The API server's own, which is also the authority that clients trust. */
export const certificatePath = (folder: string): string => join(folder, 'certificates', 'apiserver.crt')

type Ports = Readonly<
  Record<'etcdClient' | 'etcdPeer' | 'api' | 'controllerManager' | 'scheduler' | 'kwok', number>
>

async function portsAt(address: string): Promise<Ports> {
  const [etcdClient, etcdPeer, controllerManager, scheduler, kwok, onLoopback] = await freePorts(LOOPBACK, 6)
  const [api] = address === LOOPBACK ? [onLoopback] : await freePorts(address, 1)
  return {
    etcdClient: etcdClient ?? 0,
    etcdPeer: etcdPeer ?? 0,
    controllerManager: controllerManager ?? 0,
    scheduler: scheduler ?? 0,
    kwok: kwok ?? 0,
    api: api ?? 0,
  }
}

type Paths = Readonly<Record<'certificates' | 'tokens' | 'serviceAccountKey', string>>

function prepareFolder(folder: string, adminToken: string, users: readonly ClusterUser[]): Paths {
  for (const name of ['logs', 'certificates']) mkdirSync(join(folder, name), { recursive: true })
  const paths = {
    certificates: join(folder, 'certificates'),
    tokens: join(folder, 'tokens.csv'),
    serviceAccountKey: join(folder, 'service-account.key'),
  }
  const lines = [{ name: 'admin', group: 'system:masters', token: adminToken }, ...users].map(
    ({ name, group, token }) => `${token},${name},${name},"${group}"\n`,
  )
  writeFileSync(paths.tokens, lines.join(''), { mode: 0o600 })
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

function apiserverFlags(paths: Paths, address: string, ports: Ports): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcdClient}`,
    `--bind-address=${address}`,
    `--secure-port=${ports.api}`,
    `--cert-dir=${paths.certificates}`,
    `--token-auth-file=${paths.tokens}`,
    `--service-account-key-file=${paths.serviceAccountKey}`,
    `--service-account-signing-key-file=${paths.serviceAccountKey}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--service-cluster-ip-range=10.0.0.0/16',
    '--allow-privileged',
    '--kubelet-preferred-address-types=InternalIP',
  ]
}

/** Writes how a user calls the API server. */
export function writeKubeconfig(
  path: string,
  access: Pick<ApiAccess, 'apiUrl' | 'certificateAuthority'>,
  token: string,
): void {
  writeFileSync(path, kubeconfigOf(access, token), { mode: 0o600 })
}

function kubeconfigOf(access: Pick<ApiAccess, 'apiUrl' | 'certificateAuthority'>, token: string): string {
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
      token: ${token}
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
  await waitForNodes(access, names)
}

/** Resolves when all of `names` are Ready. @param check - throws a `StartFailure` when waiting is of no use any more */
export async function waitForNodes(
  access: ApiAccess,
  names: readonly string[],
  check: () => void = () => undefined,
): Promise<void> {
  await eventually(`${names.length} nodes`, async () => {
    check()
    const { items } = JSON.parse((await apiRequest(access, 'GET', '/api/v1/nodes')).text) as NodeList
    const ready = new Set(items.filter(isReady).map(({ metadata }) => metadata.name))
    return names.every((name) => ready.has(name))
  })
}

type NodeList = {
  readonly items: readonly {
    readonly metadata: { readonly name: string }
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
