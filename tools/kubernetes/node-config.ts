/* The settings of the programs of a node. Sources: containerd's CRI plugin (config version 2), KubeletConfiguration v1beta1. */

/** The image that holds a pod's namespaces; brought in from a file, so its name is never asked for on a network. */
export const PAUSE_IMAGE = 'slipway.local/pause:1.0.0'
export const CONTAINERD_SOCKET = '/run/containerd/containerd.sock'
export const CLUSTER_DNS = '10.0.0.10'
export const CLUSTER_DOMAIN = 'cluster.local'

export type ContainerdSettings = {
  readonly runcPath: string
  readonly pluginFolder: string
  readonly networkFolder: string
  /** A folder per registry, with `hosts.toml`. */
  readonly registriesFolder: string
  readonly snapshotter: 'overlayfs' | 'native'
}

export function containerdConfig(settings: ContainerdSettings): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"'
  // The JSON form of a string is a TOML string.
  const quote = JSON.stringify
  // The plugin opt makes a folder below /opt, the others look for what is not there.
  const disabled = ['internal.v1.opt', 'snapshotter.v1.btrfs', 'snapshotter.v1.aufs', 'snapshotter.v1.zfs']
  return `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = [${disabled.map((name) => quote(`io.containerd.${name}`)).join(', ')}]
[grpc]
  address = ${quote(CONTAINERD_SOCKET)}
[${cri}]
  sandbox_image = ${quote(PAUSE_IMAGE)}
  restrict_oom_score_adj = true
  disable_apparmor = true
  disable_tcp_service = true
[${cri}.containerd]
  snapshotter = ${quote(settings.snapshotter)}
  default_runtime_name = "runc"
[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.runc.options]
  BinaryName = ${quote(settings.runcPath)}
  SystemdCgroup = false
[${cri}.cni]
  bin_dir = ${quote(settings.pluginFolder)}
  conf_dir = ${quote(settings.networkFolder)}
[${cri}.registry]
  config_path = ${quote(settings.registriesFolder)}
`
}

/** How containerd trusts a registry with an authority of its own. */
export function registryConfig(host: string, certificatePath: string): string {
  return `server = ${JSON.stringify(`https://${host}`)}
ca = ${JSON.stringify(certificatePath)}
`
}

/** Each pod gets a pair of devices and an address of the node's subnet; `portmap` serves host ports. */
export function networkConfig(podSubnet: string): string {
  return JSON.stringify({
    cniVersion: '0.3.1',
    name: 'pods',
    plugins: [
      {
        type: 'ptp',
        ipam: { type: 'host-local', ranges: [[{ subnet: podSubnet }]], routes: [{ dst: '0.0.0.0/0' }] },
      },
      { type: 'portmap', capabilities: { portMappings: true }, backend: 'nftables' },
    ],
  })
}

export type KubeletSettings = {
  readonly address: string
  readonly cgroup: string
  /** Who may ask the kubelet: the API server, by a certificate of this authority. */
  readonly clientAuthorityPath: string
}

export function kubeletConfig(settings: KubeletSettings): string {
  return JSON.stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: settings.address,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: false },
      x509: { clientCAFile: settings.clientAuthorityPath },
    },
    authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    clusterDNS: [CLUSTER_DNS],
    clusterDomain: CLUSTER_DOMAIN,
    // Nobody's names are to be resolved but the cluster's own.
    resolvConf: '',
    cgroupDriver: 'cgroupfs',
    cgroupRoot: settings.cgroup,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    failCgroupV1: false,
    // The machine's disk may be as full as it likes.
    evictionHard: { 'nodefs.available': '0%', 'imagefs.available': '0%' },
    imageGCHighThresholdPercent: 100,
    serializeImagePulls: false,
  })
}
