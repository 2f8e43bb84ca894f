import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

import { SECOND_MS, type Clock } from '@slipway/kit'
import type { FastifyInstance } from 'fastify'

/** How long requests under way may take once the server closes. */
const GRACE_MS = 10 * SECOND_MS

/**
 * Lets the server end in good order: connections without a request close at once, the others with their last answer, and what
 * takes too long is cut off. Node's own bookkeeping knows neither upgraded connections nor those that never asked anything.
 * @returns aborted as soon as the server begins to close, for streams that would never end by themselves
 */
export function closeInOrder(server: FastifyInstance, clock: Clock): AbortSignal {
  const closing = new AbortController()
  const http: Server = server.server
  const requests = new Map<Socket, number>()
  http.on('connection', (socket: Socket) => {
    requests.set(socket, 0)
    socket.once('close', () => requests.delete(socket))
  })
  http.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    requests.set(socket, (requests.get(socket) ?? 0) + 1)
    response.once('close', () => {
      const left = requests.get(socket)
      if (left === undefined) return
      requests.set(socket, left - 1)
      if (closing.signal.aborted && left === 1) socket.destroySoon()
    })
  })
  server.addHook('preClose', async () => {
    closing.abort(new Error('the platform stops'))
    for (const [socket, count] of requests) if (count === 0) socket.destroySoon()
    if (!http.listening) return
    const deadline = clock.after(GRACE_MS, () => {
      for (const socket of requests.keys()) socket.destroy()
    })
    http.once('close', () => deadline[Symbol.dispose]())
  })
  return closing.signal
}
