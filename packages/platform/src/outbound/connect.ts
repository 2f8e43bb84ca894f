import { isIP, type LookupFunction } from 'node:net'

import { AppError, errorOf } from '@slipway/kit'
import { errorText } from '@slipway/messages'
import { Agent, buildConnector } from 'undici'

import type { Settings } from '../settings.ts'
import { outboundGuardOf } from './guard.ts'

type Addresses = readonly [string, ...string[]]

/** The guard for connections: which addresses to take, or an Error that says in words why none, since people read it in a status. */
export function addressGuardOf(
  settings: Pick<Settings, 'host' | 'outboundAllow'>,
): (host: string, port: number) => Promise<Addresses> {
  const guard = outboundGuardOf(settings)
  return async (host, port) => {
    try {
      return (await guard(host, port)).addresses
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown
      throw new Error(errorText('en', thrown.code, thrown.params), { cause: thrown })
    }
  }
}

/** Connections of HTTP requests, each to an address that the guard let through, whatever its name means a moment later. */
export function guardedAgent(settings: Pick<Settings, 'host' | 'outboundAllow'>): Agent {
  const guard = addressGuardOf(settings)
  return new Agent({
    connect(options, done) {
      const host = options.hostname.replace(/^\[(.*)\]$/u, '$1')
      const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80)
      const connect = async (): Promise<void> => {
        let addresses: Addresses
        try {
          addresses = await guard(host, port)
        } catch (thrown) {
          done(errorOf(thrown), null)
          return
        }
        buildConnector({ lookup: lookupOf(addresses) })(options, done)
      }
      void connect()
    },
  })
}

function lookupOf(addresses: Addresses): LookupFunction {
  return (_, { all }, callback) => {
    const found = addresses.map((address) => ({ address, family: isIP(address) }))
    if (all === true) callback(null, found)
    else callback(null, addresses[0], isIP(addresses[0]))
  }
}
