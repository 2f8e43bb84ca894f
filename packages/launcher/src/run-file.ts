import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { isRecord, parseJson, serialQueue, systemCodeOf } from '@slipway/kit'
import { replaceFile } from '@slipway/kit/files'

import { dataFolderErrors } from './data-folder-errors.ts'

/** Where everything answers, as `run.json` in the data folder tells it while Slipway runs. */
export type RunInfo = {
  readonly url: string
  readonly gatewayUrl: string
  /** Path of the administrator's kubeconfig of the embedded cluster. */
  readonly kubeconfig: string
  /** PEM file of who signed the platform's certificate, for `slipway --ca` and nodes; null where everybody knows them, and without TLS. */
  readonly authority: string | null
  readonly authorityFingerprint: string | null
  /** Null once there is an administrator. */
  readonly firstRunToken: string | null
  /** Address of the sample on a port of its own; null without a sample, and until its Workload is there. */
  readonly sampleUrl: string | null
  /** Why nothing answers there and which command shows more; null while nothing is wrong. */
  readonly sampleProblem: string | null
  /** Of the launcher: a file whose process is gone was left by one that was killed. */
  readonly pid: number
}

export type RunFile = AsyncDisposable & {
  readonly path: string
  /** Resolves when the file says so. @throws {AppError} `data_folder_full` */
  readonly write: (info: RunInfo) => Promise<void>
}

/** The file that others find Slipway by. It is 0600, for the token; whole at every moment; and gone when Slipway is. */
export function openRunFile(folder: string): RunFile {
  const path = join(folder, 'run.json')
  const queue = serialQueue()
  return {
    path,
    write: (info) =>
      queue.run(async () => {
        try {
          await replaceFile(path, `${JSON.stringify(info, null, 2)}\n`)
        } catch (thrown) {
          if (systemCodeOf(thrown) !== 'ENOSPC') throw thrown
          throw dataFolderErrors.data_folder_full({ folder }, { cause: thrown })
        }
      }),
    [Symbol.asyncDispose]: () =>
      queue.run(async () => {
        if (await isOurs(path)) await rm(path, { force: true })
      }),
  }
}

async function isOurs(path: string): Promise<boolean> {
  try {
    const value = parseJson(await readFile(path, 'utf8'))
    return isRecord(value) && value['pid'] === process.pid
  } catch {
    return false // gone already, or not written by us
  }
}
