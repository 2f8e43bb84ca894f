/*
 * An upload in a store whose objects cannot grow: a row of segments, each an object named by where it begins and by a nonce of
 * its writer. A writer that lost its claim may still put a segment; it cannot replace another one's, because the names differ.
 *
 * At the end the segments become the parts of one object: those that are large enough are copied inside the store, runs of
 * small ones are read and sent as one part.
 */
export type Segment = {
  readonly key: string
  readonly startBytes: number
  readonly sizeBytes: number
  readonly writtenAt: Date
}

/** The store takes no smaller part, the last one excepted. */
export const PART_MIN_BYTES = 5 * 1024 * 1024

/** `<where it begins, 15 digits>-<nonce>`, so that a listing comes in order. */
export function segmentName(startBytes: number, nonce: string): string {
  return `${String(startBytes).padStart(15, '0')}-${nonce}`
}

/** Where the segment begins; undefined for what is none. */
export function startOfSegment(name: string): number | undefined {
  const found = /^([0-9]{15})-[0-9a-f]{16}$/u.exec(name)?.[1]
  return found === undefined ? undefined : Number(found)
}

/**
 * A row of segments from 0 to exactly `sizeBytes`, the newest where several fit; undefined when there is none. What an
 * interrupted writer left beside or beyond is passed over. Which of two with equal ends is the right one shows the digest.
 */
export function chainOf(segments: readonly Segment[], sizeBytes: number): readonly Segment[] | undefined {
  const byStart = Map.groupBy(segments, ({ startBytes }) => startBytes)
  const dead = new Set<number>()
  const chain: Segment[] = []
  let atBytes = 0
  while (atBytes !== sizeBytes) {
    const next = (byStart.get(atBytes) ?? [])
      .filter(({ sizeBytes: own }) => own > 0 && atBytes + own <= sizeBytes && !dead.has(atBytes + own))
      .sort((a, b) => b.writtenAt.getTime() - a.writtenAt.getTime())[0]
    if (next) {
      chain.push(next)
      atBytes += next.sizeBytes
      continue
    }
    // Nothing goes on from here: one back, and not here again.
    dead.add(atBytes)
    const last = chain.pop()
    if (!last) return undefined
    atBytes = last.startBytes
  }
  return chain
}

export type Part =
  | { readonly kind: 'copy'; readonly segment: Segment }
  | { readonly kind: 'send'; readonly segments: readonly Segment[] }

/** The parts of the object that a row of segments becomes; each but the last is large enough. */
export function planParts(chain: readonly Segment[]): readonly Part[] {
  const parts: Part[] = []
  let small: Segment[] = []
  const sizeOf = (segments: readonly Segment[]): number =>
    segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  for (const [index, segment] of chain.entries()) {
    const isLast = index === chain.length - 1
    if (small.length === 0 && (segment.sizeBytes >= PART_MIN_BYTES || isLast))
      parts.push({ kind: 'copy', segment })
    else {
      small.push(segment)
      if (sizeOf(small) < PART_MIN_BYTES && !isLast) continue
      parts.push({ kind: 'send', segments: small })
      small = []
    }
  }
  return parts
}
