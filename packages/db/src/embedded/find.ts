import { join } from 'node:path'

import { readPasswords } from './passwords.ts'
import { isPostgres, processesIn, readPidFile } from './postmaster.ts'
import { DATABASE, urlOf } from './roles.ts'

/**
 * The owner's address of the PostgreSQL that another process of ours runs on a data folder, for a backup beside it.
 * @returns undefined when none is ready there
 */
export async function findEmbeddedPostgres(dataFolder: string): Promise<string | undefined> {
  const folder = join(dataFolder, 'postgres')
  const pidFile = await readPidFile(folder)
  const passwords = await readPasswords(join(dataFolder, 'keys', 'postgres.json'))
  if (pidFile?.port === undefined || !pidFile.isReady || !passwords) return undefined
  const isRunning = (await processesIn(folder)).some((user) => user.pid === pidFile.pid && isPostgres(user))
  return isRunning ? urlOf('slipway_owner', passwords.owner, pidFile.port, DATABASE) : undefined
}
