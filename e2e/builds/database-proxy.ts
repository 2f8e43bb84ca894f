/*
 * Stands between the platform and its PostgreSQL and counts the transactions that write about builds and Images. At the one it
 * was armed for it strikes: before the commit reaches the database, or when the database has committed and nobody knows yet.
 */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export type Moment = 'before' | 'after'

export type DatabaseProxy = AsyncDisposable & {
  /** The same address of a database, by way of the proxy. */
  readonly through: (url: string) => string
  /** Strikes at the nth commit from now on; resolves then. */
  readonly arm: (nth: number, moment: Moment, strike: () => void) => void
  /** Commits since it was armed. */
  readonly count: () => number
}

const WRITES = /(?:update|insert into|delete from) "(?:build|image)_/u
/** A query message with this one word, as the driver ends its transactions. */
const COMMIT = /commit\0/u

/** @param url - of the database behind it, on TCP */
export async function databaseProxy(url: string): Promise<DatabaseProxy> {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let armed: { readonly nth: number; readonly moment: Moment; readonly strike: () => void } | undefined
  let count = 0

  /** True when this commit is the one. */
  function isHit(): boolean {
    count += 1
    return armed !== undefined && count === armed.nth
  }

  function join(front: Socket): void {
    const back = connect(Number(target.port), target.hostname)
    for (const socket of [front, back]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        front.destroy()
        back.destroy()
      })
    }
    let writes = false
    let strikeAtAnswer: (() => void) | undefined
    front.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1')
      writes ||= WRITES.test(text)
      if (writes && COMMIT.test(text)) {
        writes = false
        if (isHit() && armed?.moment === 'before') return armed.strike()
        if (armed?.nth === count) strikeAtAnswer = armed.strike
      } else if (/rollback\0/u.test(text)) writes = false
      back.write(chunk)
    })
    back.on('data', (chunk: Buffer) => {
      if (strikeAtAnswer === undefined) front.write(chunk)
      else strikeAtAnswer()
    })
  }

  const server = createServer(join)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A server that listens on TCP has such an address.
  const { port } = server.address() as AddressInfo
  return {
    through(given) {
      const own = new URL(given)
      own.port = String(port)
      own.hostname = '127.0.0.1'
      return own.href
    },
    arm(nth, moment, strike) {
      count = 0
      armed = { nth, moment, strike }
    },
    count: () => count,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
