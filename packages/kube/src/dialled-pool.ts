import { Agent, type AgentOptions } from 'node:http'
import type { Duplex } from 'node:stream'

import { errorOf } from '@slipway/kit'

class DialledPool extends Agent {
  readonly #dial: () => Duplex

  constructor(options: AgentOptions, dial: () => Duplex) {
    super(options)
    this.#dial = dial
  }

  override createConnection(...[, told]: Parameters<Agent['createConnection']>): Duplex | undefined {
    try {
      return this.#dial()
    } catch (error) {
      // A request that waited for its turn has no caller left that could catch it.
      ;(told as ((error: Error) => void) | undefined)?.(errorOf(error))
      return undefined
    }
  }
}

/** Connections from `dial` instead of the network, one per request: they cost nothing, so none is kept. */
export function dialledPool(dial: () => Duplex, maxSockets: number): Agent {
  return new DialledPool({ keepAlive: false, maxSockets }, dial)
}
