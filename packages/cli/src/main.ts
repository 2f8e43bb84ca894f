import { homedir } from 'node:os'

import { systemClock } from '@slipway/kit'

import manifest from '../package.json' with { type: 'json' }
import { run } from './run.ts'

const interrupted = new AbortController()
process.once('SIGINT', () => interrupted.abort(new Error('interrupted')))
process.once('SIGTERM', () => interrupted.abort(new Error('terminated')))
// A reader that left (`| head`) is no error; what it did not take is nobody's.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

process.exitCode = await run({
  words: process.argv.slice(2),
  environment: process.env,
  folder: process.cwd(),
  homeFolder: homedir(),
  streams: process,
  clock: systemClock,
  signal: interrupted.signal,
  version: manifest.version,
})
