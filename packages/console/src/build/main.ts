/* Builds the console of the present sources, if it is not there; prints its folder. Steps back behind everything else that runs. */
import { setPriority } from 'node:os'

import { messageOf } from '@slipway/kit'

import { buildConsole } from './build.ts'
import { consoleFolder } from './folder.ts'

const BACKGROUND = 10

// Started by the launcher, it ends with it.
process.once('disconnect', () => process.exit(1))

try {
  setPriority(BACKGROUND)
  const folder = await consoleFolder()
  await buildConsole(folder)
  process.stdout.write(`${folder}\n`)
  // An open channel to the launcher would keep the process.
  process.exit(0)
} catch (thrown) {
  process.stderr.write(`slipway: the console could not be built: ${messageOf(thrown)}\n`)
  process.exit(1)
}
