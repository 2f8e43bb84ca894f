import type { AnyObject } from '../model.ts'

/** The objects of one resource, by namespace ('' for cluster-scoped ones) and name, listed in the order of these. */
export type Collection = {
  readonly get: (namespace: string, name: string) => AnyObject | undefined
  /** Frozen snapshot arrays, cached until the next change; never changed in place. */
  readonly list: (namespace?: string) => readonly AnyObject[]
  readonly set: (object: AnyObject) => void
  readonly delete: (namespace: string, name: string) => void
  readonly size: () => number
}

type Room = {
  readonly byName: Map<string, AnyObject>
  readonly names: string[]
  list: readonly AnyObject[] | undefined
}

const NONE: readonly AnyObject[] = Object.freeze([])

export function newCollection(): Collection {
  const rooms = new Map<string, Room>()
  let all: readonly AnyObject[] | undefined = NONE
  let size = 0

  function listRoom(room: Room): readonly AnyObject[] {
    room.list ??= room.names.flatMap((name) => room.byName.get(name) ?? [])
    return room.list
  }

  return {
    get: (namespace, name) => rooms.get(namespace)?.byName.get(name),
    size: () => size,
    list(namespace) {
      if (namespace !== undefined) {
        const room = rooms.get(namespace)
        return room ? listRoom(room) : NONE
      }
      all ??= [...rooms.keys()].sort(byBytes).flatMap((key) => {
        const room = rooms.get(key)
        return room ? listRoom(room) : NONE
      })
      return all
    },
    set(object) {
      const namespace = object.metadata.namespace ?? ''
      const room = rooms.get(namespace) ?? {
        byName: new Map<string, AnyObject>(),
        names: [],
        list: undefined,
      }
      rooms.set(namespace, room)
      const { name } = object.metadata
      if (!room.byName.has(name)) {
        room.names.splice(placeOf(room.names, name), 0, name)
        size += 1
      }
      room.byName.set(name, object)
      room.list = undefined
      all = undefined
    },
    delete(namespace, name) {
      const room = rooms.get(namespace)
      if (!room?.byName.delete(name)) return
      room.names.splice(placeOf(room.names, name), 1)
      room.list = undefined
      if (room.names.length === 0) rooms.delete(namespace)
      all = undefined
      size -= 1
    },
  }
}

function byBytes(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

/** Index of the first name that is not smaller. */
function placeOf(names: readonly string[], name: string): number {
  let low = 0
  let high = names.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((names[middle] ?? '') < name) low = middle + 1
    else high = middle
  }
  return low
}
