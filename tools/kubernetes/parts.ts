/*
 * What the real clusters for tests are made of. Each Go module under `modules/` pins one upstream version by its own go.mod
 * and go.sum (a shared module would mix versions); `main.ts pin` writes them, everything else only reads them.
 */

type GoModule = {
  /** Upstream module and its version: the key of the cache, together with go.mod and go.sum. */
  readonly upstream: string
  readonly version: string
  readonly tags?: string
  /** Values that upstream's own build sets with `-X`. */
  readonly variables?: Readonly<Record<string, string>>
}

const KUBERNETES_VERSION = '1.35.4'

/** Without these the programs report `v0.0.0-master+$Format…`, and version checks of clients break. */
const kubernetesVariables = Object.fromEntries(
  ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((folder) => [
    [`${folder}.gitVersion`, `v${KUBERNETES_VERSION}`],
    [`${folder}.gitMajor`, '1'],
    [`${folder}.gitMinor`, '35'],
    [`${folder}.gitTreeState`, 'clean'],
    // A constant, so that the same inputs give the same program.
    [`${folder}.buildDate`, '2026-01-01T00:00:00Z'],
  ]),
)

/** Helm's own build says which Kubernetes it knows; without it `helm template` renders for 1.20. */
const helmVariables = {
  'helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor': '1',
  'helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor': KUBERNETES_VERSION.split('.')[1] ?? '',
  'helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor': '1',
  'helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor': KUBERNETES_VERSION.split('.')[1] ?? '',
}

export type GoModuleName =
  | 'kube'
  | 'etcd'
  | 'kwok'
  | 'gateway-api'
  | 'containernetworking'
  | 'coredns'
  | 'traefik'
  | 'pause'
  | 'helm'
  | 'minio'

export const goModules: Readonly<Record<GoModuleName, GoModule>> = {
  kube: {
    upstream: 'k8s.io/kubernetes',
    version: KUBERNETES_VERSION,
    tags: 'selinux,notest,grpcnotrace',
    variables: kubernetesVariables,
  },
  etcd: { upstream: 'go.etcd.io/etcd/server/v3', version: '3.6.6' },
  kwok: { upstream: 'sigs.k8s.io/kwok', version: '0.7.0' },
  'gateway-api': { upstream: 'sigs.k8s.io/gateway-api', version: '1.4.0' },
  containernetworking: { upstream: 'github.com/containernetworking/plugins', version: '1.9.1' },
  coredns: { upstream: 'github.com/coredns/coredns', version: '1.15.0' },
  traefik: { upstream: 'github.com/traefik/traefik/v3', version: '3.5.4' },
  helm: { upstream: 'helm.sh/helm/v3', version: '3.19.0', variables: helmVariables },
  // Upstream is no longer maintained: a store that speaks S3, for tests only. It has no newer kind of version.
  minio: { upstream: 'github.com/minio/minio', version: '0.0.0-20260212201848-7aac2a2c5b7c' },
  // Our own, of the standard library alone.
  pause: { upstream: '', version: '1.0.0' },
}

const CNI_PLUGINS = 'github.com/containernetworking/plugins/plugins'

/** Every program and the package it is built from; `.` is the main package of our own module. */
export const programs = {
  kubectl: { module: 'kube', package: 'k8s.io/kubernetes/cmd/kubectl' },
  etcd: { module: 'etcd', package: '.' },
  'kube-apiserver': { module: 'kube', package: 'k8s.io/kubernetes/cmd/kube-apiserver' },
  'kube-controller-manager': { module: 'kube', package: 'k8s.io/kubernetes/cmd/kube-controller-manager' },
  'kube-scheduler': { module: 'kube', package: 'k8s.io/kubernetes/cmd/kube-scheduler' },
  kwok: { module: 'kwok', package: 'sigs.k8s.io/kwok/cmd/kwok' },
  kubelet: { module: 'kube', package: 'k8s.io/kubernetes/cmd/kubelet' },
  'kube-proxy': { module: 'kube', package: 'k8s.io/kubernetes/cmd/kube-proxy' },
  loopback: { module: 'containernetworking', package: `${CNI_PLUGINS}/main/loopback` },
  ptp: { module: 'containernetworking', package: `${CNI_PLUGINS}/main/ptp` },
  'host-local': { module: 'containernetworking', package: `${CNI_PLUGINS}/ipam/host-local` },
  portmap: { module: 'containernetworking', package: `${CNI_PLUGINS}/meta/portmap` },
  coredns: { module: 'coredns', package: '.' },
  traefik: { module: 'traefik', package: 'github.com/traefik/traefik/v3/cmd/traefik' },
  pause: { module: 'pause', package: '.' },
  helm: { module: 'helm', package: 'helm.sh/helm/v3/cmd/helm' },
  minio: { module: 'minio', package: 'github.com/minio/minio' },
} as const satisfies Readonly<Record<string, { readonly module: GoModuleName; readonly package: string }>>
export type Program = keyof typeof programs

/** What `startRealCluster` runs, and kubectl, which everybody wants first. */
export const clusterPrograms = [
  'kubectl',
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kwok',
] as const satisfies readonly Program[]

/** What a cluster needs beside those when it has nodes that run containers. */
export const nodePrograms = [
  'kubelet',
  'kube-proxy',
  'loopback',
  'ptp',
  'host-local',
  'portmap',
  'coredns',
  'traefik',
  'pause',
] as const satisfies readonly Program[]
