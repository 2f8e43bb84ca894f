import { replies } from './replies.ts'
import { standIn, type Replies, type StandIn } from './stand-in.ts'

/** Stand-ins for a test file, which answer all that commands ask, but for what a test changes. */
export type Servers = {
  readonly serverOf: (changes?: Replies) => Promise<StandIn>
  /** Ends those there are. */
  readonly endAll: () => Promise<void>
}

export function servers(): Servers {
  const open: StandIn[] = []
  return {
    async serverOf(changes = {}) {
      const server = await standIn({ ...replies, ...changes })
      open.push(server)
      return server
    },
    async endAll() {
      for (const server of open.splice(0)) await server[Symbol.asyncDispose]()
    },
  }
}
