import { statfs } from 'node:fs/promises'

import { MIB, repeat, SECOND_MS, type Clock } from '@slipway/kit'
import type { LauncherKey } from '@slipway/messages'

const LOW_BYTES = 32 * MIB
/** So much more before it counts as over, so that nothing is said to and fro at the edge. */
const ENOUGH_BYTES = 96 * MIB
const LOOK_MS = 5 * SECOND_MS

/** What to say of the room on a disk; undefined for nothing. Pure. */
export function planRoom(isLow: boolean, freeBytes: number): 'room.low' | 'room.back' | undefined {
  if (!isLow && freeBytes < LOW_BYTES) return 'room.low'
  return isLow && freeBytes >= ENOUGH_BYTES ? 'room.back' : undefined
}

export type RoomWatch = {
  readonly folder: string
  readonly clock: Clock
  readonly say: (key: LauncherKey, params: Readonly<Record<string, string | number>>) => void
}

/** Says when the disk of the data folder is about to be full, and when it no longer is. */
export function watchRoom({ folder, clock, say }: RoomWatch): Disposable {
  let isLow = false

  async function look(): Promise<void> {
    const { bavail, bsize } = await statfs(folder)
    const freeBytes = bavail * bsize
    const news = planRoom(isLow, freeBytes)
    if (news === undefined) return
    isLow = news === 'room.low'
    say(news, { folder, megabytes: Math.floor(freeBytes / MIB) })
  }

  // A folder that cannot be asked shows itself by everything else that fails then.
  return repeat(clock, LOOK_MS, look, () => undefined)
}
