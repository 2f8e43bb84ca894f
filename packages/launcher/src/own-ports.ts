import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'

import { systemCodeOf } from '@slipway/kit'

/*
 * Every Workload has a port of its own on loopback. Two installations on one machine must not give out the same ones, and one
 * installation must keep its own for ever, since people remember addresses. So a range is chosen at the first start and
 * written down. Above 20000 Instances have theirs, and from 32768 up the system chooses.
 */
const FIRST_CHOICE = '18000-18999'
const RANGES = { from: 10_000, size: 200, count: 40 }
const PROBES_PER_RANGE = 5
const FILE = 'own-ports'

/**
 * Ranges in the order in which a data folder tries them: the usual one, then from a place that its path decides. Pure.
 * @param isUsual - whether this installation has the usual gateway's port too
 */
export function candidateRanges(folder: string, isUsual: boolean): readonly string[] {
  const start = createHash('sha256').update(folder).digest().readUInt32BE(0) % RANGES.count
  const others = Array.from({ length: RANGES.count }, (_, index) => {
    const first = RANGES.from + ((start + index) % RANGES.count) * RANGES.size
    return `${first}-${first + RANGES.size - 1}`
  })
  return isUsual ? [FIRST_CHOICE, ...others] : others
}

/** The range of this data folder, as `first-last`; chosen at the first start. */
export async function settleOwnPorts(folder: string, isUsual: boolean): Promise<string> {
  const path = join(folder, FILE)
  const kept = await readRange(path)
  if (kept !== undefined) return kept
  const candidates = candidateRanges(folder, isUsual)
  let chosen = candidates[0] ?? FIRST_CHOICE
  for (const range of candidates) {
    if (!(await isFree(range))) continue
    chosen = range
    break
  }
  await writeFile(`${path}.new`, `${chosen}\n`, { mode: 0o600 })
  await rename(`${path}.new`, path)
  return chosen
}

async function readRange(path: string): Promise<string | undefined> {
  try {
    const text = (await readFile(path, 'utf8')).trim()
    return /^\d{4,5}-\d{4,5}$/u.test(text) ? text : undefined
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return undefined
    throw thrown
  }
}

/** Looks at the first ports only: they are given out in order. */
async function isFree(range: string): Promise<boolean> {
  const first = Number(range.split('-')[0])
  for (let port = first; port < first + PROBES_PER_RANGE; port += 1)
    if (!(await isBindable(port))) return false
  return true
}

async function isBindable(port: number): Promise<boolean> {
  const server = createServer()
  try {
    const listening = once(server, 'listening')
    server.listen({ port, host: '127.0.0.1', exclusive: true })
    await listening
    return true
  } catch {
    return false // taken, or not ours to take
  } finally {
    server.close()
  }
}
