import { once } from 'node:events'
import { createServer } from 'node:net'

import { isRecord, systemCodeOf, waitFor, type Clock } from '@slipway/kit'

import { launcherErrors } from './errors.ts'

/** One of the ports of a start. */
export type WantedPort = {
  /** 0 takes a free one. */
  readonly port: number
  /** Taken instead of any free one, if it can be. */
  readonly preferred?: number | undefined
  readonly address: string
  /** For the sentence that tells how to choose another one. */
  readonly flag: string
}

/**
 * The ports, in the order given: each one could be bound a moment ago. Others are told them before they are bound, so a free
 * one is looked for here where none was asked for.
 * @param patienceMs - how long a taken port may take to become free, where an earlier start may still be ending
 * @throws {AppError} `port_taken`, `port_not_allowed`, `listen_address_unknown`
 */
export async function settlePorts(
  wanted: readonly WantedPort[],
  {
    clock,
    patienceMs,
    signal,
  }: { readonly clock: Clock; readonly patienceMs: number; readonly signal: AbortSignal },
): Promise<readonly number[]> {
  const settled: number[] = []
  const givenAddresses = new Set<string>()
  for (const one of wanted) {
    const port = await bindable(one, { clock, patienceMs, signal })
    givenAddresses.add(`${port}`)
    settled.push(port)
  }
  // Two probes that closed may have been given the same number.
  return givenAddresses.size === settled.length
    ? settled
    : await settlePorts(wanted, { clock, patienceMs, signal })
}

async function bindable(
  wanted: WantedPort,
  {
    clock,
    patienceMs,
    signal,
  }: { readonly clock: Clock; readonly patienceMs: number; readonly signal: AbortSignal },
): Promise<number> {
  if (wanted.port === 0 && wanted.preferred !== undefined)
    try {
      return await probe({ ...wanted, port: wanted.preferred })
    } catch {
      // Somebody else has it by now; any other one was allowed.
    }
  let problem: unknown
  const tryOnce = async (): Promise<number | undefined> => {
    try {
      return await probe(wanted)
    } catch (thrown) {
      problem = thrown
      if (systemCodeOf(thrown) !== 'EADDRINUSE') throw refusalOf(wanted, thrown)
      return undefined
    }
  }
  const first = await tryOnce()
  if (first !== undefined) return first
  if (patienceMs === 0) throw refusalOf(wanted, problem)
  try {
    return await waitFor(clock, 'a port to be free', tryOnce, { timeoutMs: patienceMs, everyMs: 200, signal })
  } catch {
    signal.throwIfAborted()
    throw refusalOf(wanted, problem)
  }
}

async function probe({ port, address }: WantedPort): Promise<number> {
  const server = createServer()
  const listening = once(server, 'listening')
  server.listen({ port, host: address, exclusive: true })
  await listening
  const bound: unknown = server.address()
  server.close()
  await once(server, 'close')
  return isRecord(bound) && typeof bound['port'] === 'number' ? bound['port'] : port
}

function refusalOf({ port, address, flag }: WantedPort, cause: unknown): unknown {
  switch (systemCodeOf(cause)) {
    case 'EADDRINUSE':
      return launcherErrors.port_taken({ port, flag }, { cause })
    case 'EACCES':
      return launcherErrors.port_not_allowed({ port, flag }, { cause })
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EINVAL':
      return launcherErrors.listen_address_unknown({ address }, { cause })
    default:
      return cause
  }
}
