import { lookup as systemLookup } from 'node:dns/promises'
import { isIP } from 'node:net'

import { must } from '@slipway/kit'

import type { Settings } from '../settings.ts'
import { judgeAddress, parseAllowance, type OutboundRules } from './addresses.ts'
import { outboundErrors } from './errors.ts'

/** Resolves a name to all its addresses. */
export type Lookup = (host: string) => Promise<readonly string[]>

/** A host that was checked, and the addresses to connect to instead of asking for its name again. */
export type PinnedHost = {
  readonly host: string
  readonly port: number
  readonly addresses: readonly [string, ...string[]]
  /** An address within the own machine or network, which the rules let through. */
  readonly isPrivate: boolean
}

export type OutboundGuard = (host: string, port: number) => Promise<PinnedHost>

const resolve: Lookup = async (host) => {
  const found = await systemLookup(host, { all: true })
  return found.map(({ address }) => address)
}

const loopbackHosts: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost'])

/** What the settings let the platform connect to. */
export function outboundRulesOf(settings: Pick<Settings, 'host' | 'outboundAllow'>): OutboundRules {
  return {
    allowsPrivate: loopbackHosts.has(settings.host),
    allowances: settings.outboundAllow.map((text) =>
      must(parseAllowance(text), 'the settings were checked when they were read'),
    ),
  }
}

/**
 * Makes the one guard of everything the platform connects to at a user's wish. Every address of the name must be allowed, and
 * the caller connects to those returned, so that a name cannot mean something else a moment later.
 */
export function outboundGuard(rules: OutboundRules, lookup: Lookup = resolve): OutboundGuard {
  const strict: OutboundRules = { allowsPrivate: false, allowances: [] }
  return async (host, port) => {
    const addresses = isIP(host) === 0 ? await resolveHost(host, lookup) : [host]
    const [first, ...rest] = addresses
    if (first === undefined) throw outboundErrors.outbound_unresolved({ host })
    for (const address of addresses) {
      const verdict = judgeAddress(address, port, rules)
      if (verdict === 'forbidden') throw outboundErrors.outbound_forbidden({ host })
      if (verdict === 'private') throw outboundErrors.outbound_private({ host, port })
    }
    const isPrivate = addresses.some((address) => judgeAddress(address, port, strict) !== 'allowed')
    return { host, port, addresses: [first, ...rest], isPrivate }
  }
}

/** The guard of what is connected to under these settings. */
export function outboundGuardOf(settings: Pick<Settings, 'host' | 'outboundAllow'>): OutboundGuard {
  return outboundGuard(outboundRulesOf(settings))
}

async function resolveHost(host: string, lookup: Lookup): Promise<readonly string[]> {
  try {
    return await lookup(host)
  } catch (cause) {
    throw outboundErrors.outbound_unresolved({ host }, { cause })
  }
}
