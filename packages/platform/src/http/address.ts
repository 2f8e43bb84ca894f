import { BlockList, isIP } from 'node:net'

/**
 * The address a request comes from: the first one, from the peer backwards through X-Forwarded-For, that is no trusted proxy.
 * What stands before it was written by somebody whom nobody trusts.
 * @param trusted - addresses and CIDR blocks
 */
export function callerAddress(
  trusted: readonly string[],
  peer: string,
  forwardedFor: string | undefined,
): string {
  if (trusted.length === 0 || forwardedFor === undefined) return peer
  const proxies = listOf(trusted)
  let caller = peer
  for (const before of forwardedFor.split(',').reverse()) {
    const address = before.trim()
    if (!isWithin(proxies, caller) || isIP(address) === 0) return caller
    caller = address
  }
  return caller
}

function listOf(blocks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const block of blocks) {
    const [address = '', prefix] = block.split('/')
    const family = familyOf(address)
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  return list
}

function isWithin(list: BlockList, address: string): boolean {
  return list.check(address, familyOf(address))
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}
