import type { Server } from 'node:http'
import { BlockList, isIPv6, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

import { KIB, SECOND_MS, type Clock } from '@slipway/kit'
import type { FastifyInstance } from 'fastify'

import { refuseConnection } from '../error-reply.ts'
import { httpErrors } from '../errors.ts'
import type { ServingCertificate } from './certificate.ts'

/*
 * One port for both: a connection whose first byte begins a TLS handshake gets TLS, whoever it is. Plain HTTP is for this
 * machine alone (the embedded cluster, a person at the command line); from elsewhere it is told the right address. The server
 * itself never learns the difference: it is given sockets, as ever.
 */
const HANDSHAKE_BYTE = 0x16
const HANDSHAKE_MS = 20 * SECOND_MS
const ALPN = ['http/1.1']
/** Of a request in plain HTTP, as far as it is looked at. */
const HEAD_MAX_BYTES = 16 * KIB

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

type Accepting = {
  readonly certificate: ServingCertificate
  readonly clock: Clock
  /** Where TLS is spoken. */
  readonly url: string
  readonly newRequestId: () => string
  /** Whether a caller at this address may speak plain HTTP. */
  readonly mayBePlain: (address: string) => boolean
}

/** Lets a server that is not listening yet speak TLS, and plain HTTP to its own machine only. */
export function acceptTls(server: FastifyInstance, accepting: Accepting): void {
  const http: Server = server.server
  // Events call their listeners with whatever was emitted; 'connection' has a socket.
  const inner = http.listeners('connection') as ((socket: Socket) => void)[]
  http.removeAllListeners('connection')
  const handOver = (socket: Socket): void => {
    for (const listener of inner) listener.call(http, socket)
  }
  const undecided = new Set<Socket>()
  http.on('connection', (socket: Socket) => {
    const deadline = accepting.clock.after(HANDSHAKE_MS, () => socket.destroy())
    const settle = (): void => {
      deadline[Symbol.dispose]()
      undecided.delete(socket)
    }
    undecided.add(socket)
    // Before there is a request, there is nobody to tell of an error; the socket is closed by it.
    const ignore = (): void => undefined
    socket.on('error', ignore).once('close', settle)
    socket.once('data', (first: Buffer) => {
      socket.pause()
      socket.unshift(first)
      if (first[0] === HANDSHAKE_BYTE) shakeHands(socket, accepting, settle, handOver)
      else if (accepting.mayBePlain(socket.remoteAddress ?? '')) {
        settle()
        socket.off('error', ignore)
        handOver(socket)
        process.nextTick(() => socket.resume())
      } else {
        settle()
        showTheWay(socket, first, accepting)
      }
    })
  })
  server.addHook('preClose', async () => {
    for (const socket of undecided) socket.destroy()
  })
}

function shakeHands(
  socket: Socket,
  { certificate }: Accepting,
  settle: () => void,
  handOver: (socket: Socket) => void,
): void {
  const secure = new TLSSocket(socket, {
    isServer: true,
    secureContext: certificate.context(),
    ALPNProtocols: ALPN,
  })
  const giveUp = (): void => {
    socket.destroy()
  }
  secure.once('error', giveUp)
  secure.once('secure', () => {
    settle()
    secure.off('error', giveUp)
    handOver(secure)
  })
}

/** A browser is led to the right address; a program, whose token has been readable by now, is told of it. */
function showTheWay(socket: Socket, first: Buffer, { url, newRequestId }: Accepting): void {
  const head = first.subarray(0, HEAD_MAX_BYTES).toString('latin1')
  const path = /^GET (\/[\u0021-\u007e]*) HTTP\/1\.[01]\r\n/u.exec(head)?.[1]
  if (path === undefined || !/^accept:[^\r]*text\/html/imu.test(head)) {
    refuseConnection(socket, httpErrors.tls_needed({ url }), newRequestId())
    return
  }
  const lines = ['HTTP/1.1 308 Permanent Redirect', `location: ${url}${path}`, 'content-length: 0']
  socket.end(`${[...lines, 'connection: close'].join('\r\n')}\r\n\r\n`, () => socket.destroy())
}

/** True for callers on this machine. */
export function isLoopback(address: string): boolean {
  return loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}
