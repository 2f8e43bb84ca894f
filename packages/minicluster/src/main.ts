/*
 * The process of the embedded cluster, started by the launcher with its options as JSON in the first argument. It says over IPC
 * when it is ready, writes its log as JSON lines to standard error, and ends in good order when it is told to or its parent is
 * gone.
 */
import { AppError, messageOf, SECOND_MS, systemClock } from '@slipway/kit'

import type { Log } from './model.ts'
import { parseOptions } from './options.ts'
import { type Minicluster, startMinicluster } from './start.ts'

/** A launcher that is gone cannot kill what hangs while it ends, so the time for that is limited here. */
const STOP_MAX_MS = 60 * SECOND_MS

const log: Log = (level, message, fields) => {
  if (level === 'debug') return
  process.stderr.write(`${JSON.stringify({ at: systemClock.now(), level, message, ...fields })}\n`)
}

async function main(): Promise<void> {
  const signalled = new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve())
    process.once('SIGINT', () => resolve())
    process.once('disconnect', () => resolve())
  })
  // A parent that is gone reads no log; that must not end us in the middle of stopping.
  process.stderr.on('error', () => undefined)
  const cluster: Minicluster = await startMinicluster({
    ...parseOptions(process.argv[2]),
    clock: systemClock,
    log,
  })
  const { apiUrl, kubeconfigPath, gatewayUrl, nodeName } = cluster
  tellParent({ type: 'ready', apiUrl, kubeconfigPath, gatewayUrl, nodeName })
  log('info', 'the embedded cluster is ready', { apiUrl, gatewayUrl })
  await signalled
  systemClock.after(STOP_MAX_MS, () => {
    log('error', 'stopping takes too long and is given up', { resources: process.getActiveResourcesInfo() })
    process.exit(1)
  })
  await cluster.stop()
}

/** Without a callback, a parent that has just gone would make an uncaught error of it, and Instances would be left behind. */
function tellParent(message: object): void {
  process.send?.(message, undefined, undefined, () => undefined)
}

try {
  await main()
  process.exit(0)
} catch (thrown) {
  const params = thrown instanceof AppError ? thrown.params : {}
  log('error', 'the embedded cluster cannot run', { error: messageOf(thrown), ...params })
  tellParent({ type: 'failed', error: messageOf(thrown), params })
  process.exit(1)
}
