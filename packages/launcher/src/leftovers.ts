import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { isRecord, parseJson, systemCodeOf, waitFor, type Clock } from '@slipway/kit'
import { replaceFile } from '@slipway/kit/files'

import { findStartTime, identityOfMachine } from './process-identity.ts'

/*
 * A launcher that is killed leaves children that end by themselves when its channel closes. That takes a moment, in which a
 * new start would meet their ports and their locks. So the children stand in a file, and a start waits for those it finds
 * there; what has not ended by then hangs and is killed.
 */
const END_MS = 30_000
const POLL_MS = 100
const CHILDREN_MAX = 16

type Recorded = { readonly pid: number; readonly startTime: string }

export type ChildrenFile = {
  /** Adds a child that has just been started. */
  readonly record: (pid: number) => Promise<void>
  /** Waits until the children of an earlier start are gone, then forgets them. @returns how many there were */
  readonly clear: (signal: AbortSignal) => Promise<number>
}

/** The children of the launcher that holds a data folder's lock. */
export function openChildrenFile(folder: string, clock: Clock): ChildrenFile {
  const path = join(folder, 'children.json')
  let children: readonly Recorded[] = []

  async function write(): Promise<void> {
    const { bootId, pidNamespace } = await identityOfMachine()
    await replaceFile(path, JSON.stringify({ bootId, pidNamespace, children }))
  }

  return {
    async record(pid) {
      const startTime = await findStartTime(pid)
      if (startTime === undefined) return
      children = [...children.slice(1 - CHILDREN_MAX), { pid, startTime }]
      await write()
    },
    async clear(signal) {
      const left = await alive(await readChildren(path))
      if (left.length > 0) await waitOrKill(left, clock, signal)
      await rm(path, { force: true })
      return left.length
    },
  }
}

async function waitOrKill(left: readonly Recorded[], clock: Clock, signal: AbortSignal): Promise<void> {
  const isOver = async (): Promise<boolean> => (await alive(left)).length === 0
  try {
    await waitFor(clock, 'earlier children to end', isOver, { timeoutMs: END_MS, everyMs: POLL_MS, signal })
  } catch {
    signal.throwIfAborted()
    for (const { pid } of await alive(left)) kill(pid)
    await waitFor(clock, 'killed children to be gone', isOver, {
      timeoutMs: END_MS,
      everyMs: POLL_MS,
      signal,
    })
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (thrown) {
    if (systemCodeOf(thrown) !== 'ESRCH') throw thrown
  }
}

async function alive(children: readonly Recorded[]): Promise<readonly Recorded[]> {
  const found: Recorded[] = []
  for (const child of children) if ((await findStartTime(child.pid)) === child.startTime) found.push(child)
  return found
}

/** Those of this boot and these pids; of others nothing can be left here. */
async function readChildren(path: string): Promise<readonly Recorded[]> {
  let value: unknown
  try {
    value = parseJson(await readFile(path, 'utf8'))
  } catch {
    return [] // none, or one that was torn by a full disk
  }
  const { bootId, pidNamespace } = await identityOfMachine()
  if (!isRecord(value) || value['bootId'] !== bootId || value['pidNamespace'] !== pidNamespace) return []
  const children = Array.isArray(value['children']) ? value['children'].slice(0, CHILDREN_MAX) : []
  return children.flatMap((child: unknown): Recorded[] =>
    isRecord(child) && typeof child['pid'] === 'number' && typeof child['startTime'] === 'string'
      ? [{ pid: child['pid'], startTime: child['startTime'] }]
      : [],
  )
}
