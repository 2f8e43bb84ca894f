import { BlockList, isIP } from 'node:net'

/*
 * Where the platform itself may connect to on behalf of a user. Three walls: metadata services, link-local, multicast and
 * unspecified addresses are refused always; private and loopback ones unless an operator allowed them by CIDR and port, or the
 * platform listens on loopback only, where everybody who can reach it can reach them too; the public rest is free.
 * An address that carries another one inside (v4-mapped, NAT64) counts as the one inside.
 */

/** A block of private addresses, and the port there, that an operator allows. */
export type Allowance = {
  readonly network: string
  readonly prefix: number
  readonly family: 'ipv4' | 'ipv6'
  /** 0 means every port. */
  readonly port: number
}

export type OutboundRules = {
  /** Private and loopback addresses need no allowance. */
  readonly allowsPrivate: boolean
  readonly allowances: readonly Allowance[]
}

export type Verdict = 'allowed' | 'forbidden' | 'private'

type Block = readonly [network: string, prefix: number]

const neverV4: readonly Block[] = [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['100.100.100.200', 32],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]
const neverV6: readonly Block[] = [
  ['::', 128],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
  ['fd00:ec2::254', 128],
  ['2001::', 32],
  ['2002::', 16],
  ['100::', 64],
]
const privateV4: readonly Block[] = [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
]
const privateV6: readonly Block[] = [
  ['::1', 128],
  ['fc00::', 7],
  ['2001:db8::', 32],
]

const never = blocksOf(neverV4, neverV6)
const local = blocksOf(privateV4, privateV6)

function blocksOf(v4: readonly Block[], v6: readonly Block[]): BlockList {
  const list = new BlockList()
  for (const [network, prefix] of v4) list.addSubnet(network, prefix, 'ipv4')
  for (const [network, prefix] of v6) list.addSubnet(network, prefix, 'ipv6')
  return list
}

/** Decides about one IP address; anything that is none is forbidden. */
export function judgeAddress(address: string, port: number, rules: OutboundRules): Verdict {
  const plain = innerAddress(address)
  const version = isIP(plain)
  if (version === 0) return 'forbidden'
  const family = version === 4 ? 'ipv4' : 'ipv6'
  if (never.check(plain, family)) return 'forbidden'
  if (!local.check(plain, family) || rules.allowsPrivate) return 'allowed'
  const isAllowed = rules.allowances.some(
    (one) => one.family === family && (one.port === 0 || one.port === port) && contains(one, plain),
  )
  return isAllowed ? 'allowed' : 'private'
}

function contains(allowance: Allowance, address: string): boolean {
  const list = new BlockList()
  list.addSubnet(allowance.network, allowance.prefix, allowance.family)
  return list.check(address, allowance.family)
}

/** The IPv4 address inside `::ffff:a.b.c.d` and `64:ff9b::a.b.c.d`; else the address without a zone. */
function innerAddress(address: string): string {
  if (isIP(address) !== 6) return address
  const bare = address.split('%', 1)[0] ?? ''
  // WHATWG URL writes every form of an IPv6 address the same way.
  const written = new URL(`http://[${bare}]/`).hostname.slice(1, -1)
  const match = /^(?:::ffff:|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/u.exec(written)
  if (!match) return written
  const number = Number.parseInt(match[1] ?? '', 16) * 65_536 + Number.parseInt(match[2] ?? '', 16)
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')
}

/** Reads `10.0.0.0/8:443` or `[fd00::/8]:*`; undefined when it is neither. */
export function parseAllowance(text: string): Allowance | undefined {
  const match =
    /^(?:\[([0-9a-f:]{2,39})\/([0-9]{1,3})\]|([0-9.]{7,15})\/([0-9]{1,2})):(\*|[0-9]{1,5})$/iu.exec(text)
  if (!match) return undefined
  const network = match[1] ?? match[3] ?? ''
  const prefix = Number(match[2] ?? match[4])
  const port = match[5] === '*' ? 0 : Number(match[5])
  const version = isIP(network)
  const isRight = version !== 0 && prefix <= (version === 4 ? 32 : 128) && port <= 65_535
  if (!isRight || (match[5] !== '*' && port === 0)) return undefined
  return { network, prefix, port, family: version === 4 ? 'ipv4' : 'ipv6' }
}
