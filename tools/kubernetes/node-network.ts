/*
 * The network between the nodes of one cluster, and to whoever started it: a bridge in the caller's network namespace, a pair
 * of virtual Ethernet devices to each node, and a route to the pods of each node. Nothing is forwarded by the caller's side
 * and no setting of its kernel changes; everything goes when the bridge and the nodes' namespaces go.
 *
 * A cluster's addresses are 10.<n>.0.0/16: .0.1 is the caller, .0.11 and up are the nodes, .101.0/24 and up their pods. Who
 * makes the bridge of n has claimed n; its hardware address is made from the cluster's folder, so that only its owner removes it.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const FIRST = 200
const LAST = 249
const RECORD_FILE = 'network.json'
export const NODES_MAX = 20

export type NodeNetwork = {
  readonly number: number
  readonly bridge: string
  /** Of the caller; what listens here is reached by nodes and pods. */
  readonly hostAddress: string
  /** Of all pods, as CIDR block. */
  readonly podRange: string
}

export const nodeAddress = (network: NodeNetwork, node: number): string =>
  `10.${network.number}.0.${10 + node}`
export const podSubnet = (network: NodeNetwork, node: number): string =>
  `10.${network.number}.${100 + node}.0/24`

function networkOf(number: number): NodeNetwork {
  return {
    number,
    bridge: `slipway-${number}`,
    hostAddress: `10.${number}.0.1`,
    podRange: `10.${number}.0.0/16`,
  }
}

/**
 * Takes a range of addresses that nobody on this machine uses.
 * @param folder - of the cluster; remembers the range for `removeNetwork`
 */
export function claimNetwork(folder: string): NodeNetwork {
  for (let number = FIRST; number <= LAST; number += 1) {
    const network = networkOf(number)
    if (isInUse(network)) continue
    writeFileSync(join(folder, RECORD_FILE), JSON.stringify({ number }))
    try {
      run('ip', ['link', 'add', network.bridge, 'address', ownMark(folder), 'type', 'bridge'])
    } catch (error) {
      // Somebody else took it since the look.
      if (/File exists/u.test(String(error))) continue
      throw error
    }
    batch(
      ['ip'],
      [`address add ${network.hostAddress}/24 dev ${network.bridge}`, `link set ${network.bridge} up`],
    )
    return network
  }
  throw new Error(`all of 10.${FIRST}.0.0/16 to 10.${LAST}.0.0/16 are in use on this machine`)
}

function isInUse({ podRange }: NodeNetwork): boolean {
  return run('ip', ['-4', 'route', 'show', 'table', 'all', 'root', podRange]).trim() !== ''
}

/**
 * Joins a node's network namespace to the bridge.
 * @param node - from 1; @param count - how many nodes there will be
 */
export function attachNode(network: NodeNetwork, node: number, count: number, initPid: number): void {
  const device = deviceOf(network, node)
  const address = nodeAddress(network, node)
  batch(
    ['ip'],
    [
      `link add ${device} type veth peer name eth0 netns ${initPid}`,
      `link set ${device} master ${network.bridge} up`,
      `route add ${podSubnet(network, node)} via ${address} dev ${network.bridge}`,
    ],
  )
  const others = Array.from({ length: count }, (_, index) => index + 1).filter((other) => other !== node)
  batch(
    ['nsenter', '--target', String(initPid), '--net', 'ip'],
    [
      'link set lo up',
      `address add ${address}/24 dev eth0`,
      'link set eth0 up',
      `route add default via ${network.hostAddress}`,
      ...others.map((other) => `route add ${podSubnet(network, other)} via ${nodeAddress(network, other)}`),
    ],
  )
}

/** Removes the bridge of the cluster in `folder` and what is attached to it, if there is one. */
export function removeNetwork(folder: string): void {
  const number = recordedNumber(folder)
  if (number === undefined) return
  const { bridge } = networkOf(number)
  const links = JSON.parse(run('ip', ['-json', 'link', 'show'])) as readonly {
    readonly ifname: string
    readonly address?: string
    readonly master?: string
  }[]
  if (links.find(({ ifname }) => ifname === bridge)?.address !== ownMark(folder)) return
  const attached = links.filter(({ master }) => master === bridge).map(({ ifname }) => ifname)
  for (const device of [...attached, bridge]) {
    try {
      run('ip', ['link', 'delete', device])
    } catch (error) {
      // The device of a node that has just ended goes by itself.
      if (!/Cannot find device|No such device/u.test(String(error))) throw error
    }
  }
}

const deviceOf = (network: NodeNetwork, node: number): string => `${network.bridge}-${node}`

function recordedNumber(folder: string): number | undefined {
  try {
    return (JSON.parse(readFileSync(join(folder, RECORD_FILE), 'utf8')) as { readonly number: number }).number
  } catch {
    // A cluster without nodes has no network.
    return undefined
  }
}

/** A locally administered hardware address that no other cluster has. */
function ownMark(folder: string): string {
  const digits = createHash('sha256').update(folder).digest('hex')
  return `02:${[0, 2, 4, 6, 8].map((at) => digits.slice(at, at + 2)).join(':')}`
}

function batch([command = '', ...parameters]: readonly string[], lines: readonly string[]): void {
  run(command, [...parameters, '-batch', '-'], `${lines.join('\n')}\n`)
}

function run(command: string, parameters: readonly string[], input = ''): string {
  try {
    return execFileSync(command, parameters, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] })
  } catch (cause) {
    const { stderr } = cause as { readonly stderr?: string }
    throw new Error(`${command} ${parameters.join(' ')}: ${stderr?.trim() ?? String(cause)}`, { cause })
  }
}
