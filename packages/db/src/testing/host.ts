import { rm } from 'node:fs/promises'

import { messageOf } from '@slipway/kit'

import { startTestServer } from './test-server.ts'

// The process that owns the test server of one run: reports it once and ends it when the channel to the run closes.
const closed = new Promise<void>((resolve) => process.once('disconnect', resolve))
// Ctrl-C reaches the whole group; the end of the run is what counts.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)

try {
  await using running = await startTestServer()
  process.send?.(JSON.stringify(running.server))
  await closed
} catch (thrown) {
  if (process.connected) process.send?.(JSON.stringify({ error: describe(thrown) }))
  process.exitCode = 1
}
// A run that was killed cannot remove the folder of its socket itself.
const [folder] = process.argv.slice(2)
if (folder !== undefined) await rm(folder, { recursive: true, force: true })

/** A refusal's code says little without what PostgreSQL itself said. */
function describe(thrown: unknown): string {
  const cause = thrown instanceof Error && thrown.cause !== undefined ? `: ${messageOf(thrown.cause)}` : ''
  return `${messageOf(thrown)}${cause}`
}
