/*
 * Who listens where: the kernel's table of listening sockets joined with the sockets that a container's processes hold. Reading
 * the table walks every connection of the machine (milliseconds), so it is read only when what is known is not enough: a socket
 * that was seen listening goes on as long as its descriptor is there, and that is one cheap look.
 */
import type { Clock } from '@slipway/kit'

import { holdsSocket, listListeners, socketsOf, type HeldSocket, type Listener } from './proc.ts'
import type { ProcessTable } from './process-table.ts'

export type Network = {
  /** What the processes of this marker listen on; looked up anew, at most twice a second, while it is not `enough`. */
  readonly listenersOf: (
    marker: string,
    enough: (listeners: readonly Listener[]) => boolean,
  ) => readonly Listener[]
  /** The marker of a container other than `except` that holds the port on all addresses. */
  readonly findHolder: (port: number, except: string) => string | undefined
}

const FRESH_MS = 400

type Found = {
  readonly atMs: number
  readonly sockets: readonly (HeldSocket & { readonly listener: Listener })[]
}

export function createNetwork(processes: ProcessTable, clock: Clock): Network {
  const found = new Map<string, Found>()
  let table: { readonly atMs: number; readonly byInode: ReadonlyMap<string, Listener> } = {
    atMs: -Infinity,
    byInode: new Map(),
  }

  function readTable(maxAgeMs: number): ReadonlyMap<string, Listener> {
    const atMs = clock.monotonicMs()
    if (atMs - table.atMs >= maxAgeMs)
      table = { atMs, byInode: new Map(listListeners().map((listener) => [listener.inode, listener])) }
    return table.byInode
  }

  function look(marker: string): Found {
    const byInode = readTable(FRESH_MS)
    const members = processes.members((other) => other === marker, FRESH_MS)
    const seen = new Set<string>()
    const sockets = members
      .flatMap((member) => socketsOf(member.pid))
      .flatMap((socket) => {
        const listener = byInode.get(socket.inode)
        if (!listener || seen.has(socket.inode)) return []
        seen.add(socket.inode)
        return [{ ...socket, listener }]
      })
    const entry = { atMs: clock.monotonicMs(), sockets }
    if (members.length === 0) found.delete(marker)
    else found.set(marker, entry)
    return entry
  }

  function listenersOfEntry(entry: Found): readonly Listener[] {
    return entry.sockets.map(({ listener }) => listener)
  }

  return {
    listenersOf(marker, enough) {
      const known = found.get(marker)
      if (known) {
        if (clock.monotonicMs() - known.atMs < FRESH_MS) return listenersOfEntry(known)
        const listeners = listenersOfEntry(known)
        if (known.sockets.every(holdsSocket) && enough(listeners)) return listeners
      }
      return listenersOfEntry(look(marker))
    },
    findHolder(port, except) {
      const holders = [...readTable(0).values()].filter(
        (listener) => listener.port === port && listener.everywhere,
      )
      if (holders.length === 0) return undefined
      const inodes = new Set(holders.map(({ inode }) => inode))
      return processes
        .members((marker) => marker !== except)
        .find(({ pid }) => socketsOf(pid).some(({ inode }) => inodes.has(inode)))?.marker
    },
  }
}
