/** Who listens where: the kernel's table joined with the sockets of our containers' processes, at most twice a second. */
import type { Clock } from '@slipway/kit'

import { listListeners, socketsOf, type Listener } from './proc.ts'
import type { ProcessTable } from './process-table.ts'

export type Network = {
  /** What the processes of this marker listen on. */
  readonly listenersOf: (marker: string) => readonly Listener[]
  /** The marker of a container other than `except` that holds the port on all addresses. */
  readonly findHolder: (port: number, except: string) => string | undefined
}

const FRESH_MS = 400

export function createNetwork(processes: ProcessTable, clock: Clock): Network {
  let atMs = -Infinity
  let byMarker = new Map<string, Listener[]>()

  function refresh(): void {
    if (clock.monotonicMs() - atMs < FRESH_MS) return
    const members = processes.members(() => true, FRESH_MS)
    const byInode = new Map(listListeners().map((listener) => [listener.inode, listener]))
    byMarker = new Map()
    for (const member of members) {
      const found = byMarker.get(member.marker) ?? []
      for (const inode of socketsOf(member.pid)) {
        const listener = byInode.get(inode)
        if (listener && !found.includes(listener)) found.push(listener)
      }
      byMarker.set(member.marker, found)
    }
    atMs = clock.monotonicMs()
  }

  return {
    listenersOf(marker) {
      refresh()
      return byMarker.get(marker) ?? []
    },
    findHolder(port, except) {
      atMs = -Infinity
      refresh()
      for (const [marker, listeners] of byMarker)
        if (marker !== except && listeners.some((listener) => listener.port === port && listener.everywhere))
          return marker
      return undefined
    },
  }
}
