import { openAsBlob } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'

import { messageOf } from '@slipway/kit'

import type { Deps } from './deps.ts'
import { cliErrors } from './errors.ts'

/** Largest file that a command sends along, in bytes. */
const FILE_LIMIT_BYTES = 1024 * 1024

/** Bytes of a file that may be large; `-` is standard input. @throws {AppError} `file_unreadable` */
export async function openFile(deps: Deps, path: string): Promise<Blob | ReadableStream<Uint8Array>> {
  if (path === '-') return Readable.toWeb(deps.io.stdin)
  try {
    if ((await stat(path)).isFile()) return await openAsBlob(path)
  } catch (cause) {
    throw cliErrors.file_unreadable({ file: path, problem: messageOf(cause) }, { cause })
  }
  throw cliErrors.file_unreadable({ file: path, problem: 'it is no file' })
}

/** The text of a file; `-` is standard input. @throws {AppError} `file_unreadable` */
export async function readTextFile(deps: Deps, path: string): Promise<string> {
  if (path === '-') return deps.io.readInput()
  let sizeBytes: number
  try {
    sizeBytes = (await stat(path)).size
    if (sizeBytes <= FILE_LIMIT_BYTES) return await readFile(path, 'utf8')
  } catch (cause) {
    throw cliErrors.file_unreadable({ file: path, problem: messageOf(cause) }, { cause })
  }
  throw cliErrors.file_unreadable({ file: path, problem: `${sizeBytes} > ${FILE_LIMIT_BYTES} bytes` })
}
