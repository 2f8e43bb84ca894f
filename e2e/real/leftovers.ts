/* What a cluster with nodes puts on the machine, and how to find out whether any of it is still there. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

import type { RealClusterWithNodes } from '../../tools/kubernetes/cluster.ts'

/** Settings of the whole machine that parts of a node like to change. */
const settings = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
  'net/ipv4/ip_forward',
  'net/ipv4/conf/all/route_localnet',
  'net/netfilter/nf_conntrack_max',
  'net/netfilter/nf_conntrack_tcp_timeout_established',
]
/** Places where containerd, kubelet, runc and CNI plugins keep things unless told otherwise. */
const places = [
  '/etc/cni',
  '/opt/cni',
  '/opt/containerd',
  '/run/containerd',
  '/run/netns',
  '/run/runc',
  '/var/lib/cni',
  '/var/lib/containerd',
  '/var/lib/kubelet',
  '/var/log/containers',
  '/var/log/pods',
]

export type Marks = {
  /** How the machine was before: settings, tables of the packet filter, and places that were there already. */
  readonly before: readonly string[]
  /** How it is now. */
  readonly now: () => readonly string[]
  readonly folder: string
  readonly addresses: string
  readonly namespaces: ReadonlySet<string>
}

/** @param environment - where `nft` is found */
export function machineState(environment: Readonly<Record<string, string>>): readonly string[] {
  const tables = execFileSync('nft', ['list', 'tables'], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  })
  const values = settings
    .filter((name) => existsSync(join('/proc/sys', name)))
    .map((name) => `${name} = ${readFileSync(join('/proc/sys', name), 'utf8').trim()}`)
  return [...values, ...tables.trim().split('\n'), ...places.filter((path) => existsSync(path))]
}

/** By what to recognize whatever belongs to a running cluster. */
export function marksOf(
  cluster: RealClusterWithNodes,
  { before, now }: Pick<Marks, 'before' | 'now'>,
): Marks {
  const folder = dirname(cluster.kubeconfigPath)
  const own = new Set(namespacesOf('self'))
  const inside = processes().filter((pid) => cluster.nodes.some(({ init }) => isInNode(pid, init.pid)))
  const namespaces = new Set(inside.flatMap(namespacesOf).filter((one) => !own.has(one)))
  return { before, now, folder, addresses: cluster.hostAddress.replace(/\.0\.1$/u, '.'), namespaces }
}

function isInNode(pid: string, initPid: number): boolean {
  return namespaceOf(pid, 'pid') === namespaceOf(String(initPid), 'pid') || ancestors(pid).includes(initPid)
}

/** Whatever of the cluster is still there, in words; nothing when it is gone without a trace. */
export function leftovers(marks: Marks): string[] {
  const name = basename(marks.folder)
  const found = (what: string, text: string, mark: string): string[] =>
    text
      .split('\n')
      .filter((line) => line.includes(mark))
      .map((line) => `${what}: ${line}`)
  const all = processes()
  return [
    ...(existsSync(marks.folder) ? [`folder: ${marks.folder}`] : []),
    ...all.filter((pid) => belongs(pid, name)).map((pid) => `process: ${pid} ${read(pid, 'cmdline')}`),
    ...all
      .filter((pid) => namespacesOf(pid).some((one) => marks.namespaces.has(one)))
      .map((pid) => `namespace: of process ${pid} ${read(pid, 'cmdline')}`),
    ...[...new Set(all.map((pid) => read(pid, 'mountinfo')))].flatMap((text) => found('mount', text, name)),
    ...found('address or route', ip('-4', 'address'), marks.addresses),
    ...found('address or route', ip('-4', 'route', 'show', 'table', 'all'), marks.addresses),
    ...found('device', ip('-brief', 'link'), `slipway-${marks.addresses.split('.')[1]}`),
    ...cgroupsOf('/sys/fs/cgroup', 2)
      .filter((path) => path.includes(name) || basename(path) === 'k8s.io' || basename(path) === 'kubepods')
      .map((path) => `cgroup: ${path}`),
    ...marks
      .now()
      .filter((line) => !marks.before.includes(line))
      .map((line) => `machine: ${line}`),
  ]
}

const processes = (): string[] => readdirSync('/proc').filter((name) => /^\d+$/u.test(name))

function belongs(pid: string, name: string): boolean {
  if (Number(pid) === process.pid) return false
  if (['cmdline', 'environ'].some((file) => read(pid, file).includes(name))) return true
  try {
    return readlinkSync(`/proc/${pid}/cwd`).includes(name)
  } catch {
    // It has ended.
    return false
  }
}

function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1').replaceAll('\0', ' ')
  } catch {
    // It has ended.
    return ''
  }
}

function ancestors(pid: string): number[] {
  const text = read(pid, 'stat')
  const parent = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1] ?? '0')
  return parent > 1 ? [parent, ...ancestors(String(parent))] : [parent]
}

function namespaceOf(pid: string, kind: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`)
  } catch {
    // It has ended.
    return ''
  }
}

const namespacesOf = (pid: string): string[] =>
  ['mnt', 'net', 'pid', 'uts', 'ipc'].map((kind) => namespaceOf(pid, kind)).filter((one) => one !== '')

const ip = (...parameters: readonly string[]): string => execFileSync('ip', parameters, { encoding: 'utf8' })

function cgroupsOf(folder: string, depth: number): string[] {
  if (!existsSync(folder)) return []
  const children = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name))
  return depth === 0 ? children : [...children, ...children.flatMap((child) => cgroupsOf(child, depth - 1))]
}
