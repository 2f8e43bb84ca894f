/*
 * Addresses and ports of Instances. Every pod gets a loopback address of its own (Linux binds all of 127/8), every container a
 * PORT of its own. Which port really serves is read from the kernel: the sockets in state LISTEN whose inode one of the
 * container's processes holds. So a foreign listener at the same port is never taken for the Instance.
 */
import { createServer } from 'node:net'

import type { Random } from '@slipway/kit'

import type { Container } from './model.ts'
import type { Listener } from './proc.ts'

const PORT_FIRST = 20_000
const PORT_COUNT = 10_000
const PORT_TRIES = 200

/** Picks a loopback address nobody in `taken` has; on systems without 127/8 the one address there is. */
export function pickPodIp(taken: ReadonlySet<string>, random: Random, platform: NodeJS.Platform): string {
  if (platform !== 'linux') return '127.0.0.1'
  for (;;) {
    // 127.0.x.y stays free for the machine's own services.
    const parts = [
      16 + Math.floor(random() * 224),
      Math.floor(random() * 256),
      1 + Math.floor(random() * 254),
    ]
    const address = `127.${parts.join('.')}`
    if (!taken.has(address)) return address
  }
}

/**
 * Picks a port that nothing listens on at any address and that is not in `taken`.
 * @throws {Error} when none was found
 */
export async function pickPort(taken: ReadonlySet<number>, random: Random): Promise<number> {
  for (let tried = 0; tried < PORT_TRIES; tried += 1) {
    const port = PORT_FIRST + Math.floor(random() * PORT_COUNT)
    if (!taken.has(port) && (await isPortFree(port))) return port
  }
  throw new Error(`no free port between ${PORT_FIRST} and ${PORT_FIRST + PORT_COUNT - 1}`)
}

/** True when an application could listen at the port on all addresses now. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await canBind(port, '0.0.0.0')) && (await canBind(port, '::'))
}

function canBind(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    // A machine without IPv6 refuses the family, not the port.
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'EADDRINUSE' && error.code !== 'EACCES'),
    )
    server.listen({ port, host, exclusive: true, ipv6Only: host === '::' }, () =>
      server.close(() => resolve(true)),
    )
  })
}

/** The declared container ports of TCP, in order. */
export function declaredPorts(container: Container): readonly number[] {
  return (container.ports ?? [])
    .filter((port) => (port.protocol ?? 'TCP') === 'TCP')
    .map((port) => port.containerPort)
}

/** The number of a port that a probe, hook or client names by number or name. */
export function portNumber(container: Container, port: number | string): number | undefined {
  if (typeof port === 'number') return port
  const named = container.ports?.find((declared) => declared.name === port)?.containerPort
  if (named !== undefined) return named
  return /^[0-9]{1,5}$/.test(port) ? Number(port) : undefined
}

/**
 * Where a declared port is really served: at PORT when it is the first declared one (or the only meaning a port can have) and the
 * container listens there, else at the port itself when the container listens there, else nowhere.
 */
export function servedPort(options: {
  readonly wanted: number
  readonly declared: readonly number[]
  readonly port: number
  readonly listeners: readonly Listener[]
}): number | undefined {
  const { wanted, declared, port, listeners } = options
  const listens = (candidate: number): boolean => listeners.some((listener) => listener.port === candidate)
  const isFirst = declared.length === 0 || declared[0] === wanted
  if (isFirst && listens(port)) return port
  return listens(wanted) ? wanted : undefined
}

/** Declared port → port that serves. A port that nobody serves yet is expected at PORT (the first) or at itself. */
export function portsMap(
  declared: readonly number[],
  port: number,
  listeners: readonly Listener[],
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    declared.map((wanted, index) => [
      String(wanted),
      servedPort({ wanted, declared, port, listeners }) ?? (index === 0 ? port : wanted),
    ]),
  )
}

/** What a container listens on, for messages to people. */
export function listenersText(listeners: readonly Listener[]): string {
  if (listeners.length === 0) return 'it listens on no TCP port'
  const texts = new Set(listeners.map((listener) => `${listener.address}:${listener.port}`))
  return `it listens on ${[...texts].slice(0, 8).join(', ')}`
}
