import type { Writable } from 'node:stream'

import { MIB } from '@slipway/kit'

/** What the reader has not taken yet; beyond it lines are dropped rather than kept in memory. */
const WAITING_MAX_BYTES = 4 * MIB

export type LogOutput = {
  readonly write: (line: string) => void
  /** Resolves when what was written has been read, or nobody reads any more. */
  readonly drain: () => Promise<void>
}

/**
 * Lines to the parent that reads our standard error. A parent that is gone must not hold us up: the destination that comes with
 * the logger tries a broken pipe again and again while the process exits, for ever.
 */
export function logOutput(stream: Writable): LogOutput {
  // The reader is gone; the stream is destroyed by that and takes no more.
  stream.on('error', () => undefined)
  return {
    write(line) {
      if (stream.writable && stream.writableLength < WAITING_MAX_BYTES) stream.write(line)
    },
    drain: () =>
      new Promise((resolve) => {
        if (stream.writable) stream.write('', () => resolve())
        else resolve()
      }),
  }
}
