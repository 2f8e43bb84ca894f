import { openAsBlob } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'

import { isRecord, messageOf } from '@slipway/kit'

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

/**
 * The fields of a YAML file; `-` is standard input.
 * @param expected - a field as one would write it, for a file that holds something else
 * @throws {AppError} `file_unreadable`
 */
export async function readYamlFields(
  deps: Deps,
  file: string,
  expected: string,
): Promise<Readonly<Record<string, unknown>>> {
  const { parse } = await import('yaml')
  let value: unknown
  try {
    value = parse(await readTextFile(deps, file), { maxAliasCount: 10 })
  } catch (cause) {
    throw cliErrors.file_unreadable({ file, problem: messageOf(cause).slice(0, 200) }, { cause })
  }
  if (!isRecord(value)) throw cliErrors.file_unreadable({ file, problem: expected })
  return value
}
