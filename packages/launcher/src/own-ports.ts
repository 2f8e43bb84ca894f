import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/*
 * Every Workload has a port of its own on loopback. Two installations on one machine must not give out the same ones, and one
 * installation must keep its own for ever, since people remember addresses. So a range is chosen at the first start and
 * written down. Above 20000 Instances have theirs, and from 32768 up the system chooses.
 */
const FIRST_CHOICE = '18000-18999'
const RANGES = { from: 10_000, size: 200, count: 40 }
const PROBES_PER_RANGE = 5

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

/** A range for a data folder that has none yet, as `first-last`. */
export async function chooseOwnPorts(folder: string, isUsual: boolean): Promise<string> {
  const candidates = candidateRanges(folder, isUsual)
  for (const range of candidates) if (await isFree(range)) return range
  return candidates[0] ?? FIRST_CHOICE
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
