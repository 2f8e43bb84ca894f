import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'

import { MIB, systemCodeOf } from '@slipway/kit'

const SIZE_MAX_BYTES = 8 * MIB
const OLDER_MAX = 3
const TAIL_MAX_BYTES = 8 * 1024

export type LogFile = Disposable & {
  readonly path: string
  /** Appends; never throws, since a full disk must not end what is being logged. */
  readonly write: (chunk: Uint8Array | string) => void
  /** The last lines that were written by this process, at most 8 KiB. */
  readonly tail: () => string
}

/**
 * Opens a log for appending. Beyond 8 MiB it becomes `<path>.1`, that one `<path>.2`, and so on; three older ones are kept.
 * Lines are never torn between two files as long as each chunk holds whole lines.
 */
export function openLogFile(path: string, limits: { readonly sizeMaxBytes?: number } = {}): LogFile {
  const sizeMaxBytes = limits.sizeMaxBytes ?? SIZE_MAX_BYTES
  let descriptor = openSync(path, 'a', 0o600)
  let sizeBytes = fstatSync(descriptor).size
  let last = ''
  let isClosed = false

  function rotate(): void {
    closeSync(descriptor)
    rmSync(`${path}.${OLDER_MAX}`, { force: true })
    for (let number = OLDER_MAX - 1; number >= 1; number -= 1)
      renameIfThere(`${path}.${number}`, `${path}.${number + 1}`)
    renameIfThere(path, `${path}.1`)
    descriptor = openSync(path, 'a', 0o600)
    sizeBytes = 0
  }

  return {
    path,
    write(chunk) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
      last = (last + Buffer.from(bytes).toString('utf8')).slice(-TAIL_MAX_BYTES)
      // A closed descriptor may be somebody else's by now.
      if (isClosed) return
      try {
        if (sizeBytes > 0 && sizeBytes + bytes.length > sizeMaxBytes) rotate()
        writeSync(descriptor, bytes)
        sizeBytes += bytes.length
      } catch {
        // A full or vanished disk: the tail is still there for the sentence that tells of the failure.
      }
    },
    tail: () => last,
    [Symbol.dispose]() {
      isClosed = true
      closeSync(descriptor)
    },
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (thrown) {
    if (systemCodeOf(thrown) !== 'ENOENT') throw thrown
  }
}
