/*
 * The process that runs one cluster. It tells its parent one line, `{"ready": …}` or `{"failed": …}`, and ends everything when
 * its standard input closes (the parent went away, however), on SIGTERM, or when a program of the cluster ends.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { childProcesses } from './child-processes.ts'
import { startClusterWithNodes } from './cluster-nodes.ts'
import { startControlPlane, type SupervisorOptions } from './control-plane.ts'
import { identify } from './process-identity.ts'
import { OWNER_FILE, type Owner, removeCluster } from './stale-clusters.ts'

const options = JSON.parse(process.argv[2] ?? '') as SupervisorOptions
mkdirSync(options.folder, { recursive: true })
const owner: Owner = { supervisor: identify(process.pid), detached: options.detached }
writeFileSync(join(options.folder, OWNER_FILE), JSON.stringify(owner))

const children = childProcesses(options.folder, (reason) => void shutDown(reason))
let ending = false

process.on('SIGTERM', () => void shutDown())
process.on('SIGINT', () => void shutDown())
if (!options.detached) {
  process.stdin.resume()
  process.stdin.on('close', () => void shutDown())
}

try {
  const { nodes } = options
  const cluster = nodes
    ? await startClusterWithNodes({ ...options, nodes }, children)
    : await startControlPlane(options, children)
  tell({ ready: { ...cluster, supervisorPid: process.pid } })
} catch (error) {
  await shutDown(error instanceof Error ? error.message : String(error))
}

async function shutDown(reason?: string): Promise<void> {
  if (ending) return
  ending = true
  if (reason !== undefined) tell({ failed: reason })
  await children.stopAll()
  await removeCluster(options.folder)
  process.exit(reason === undefined ? 0 : 1)
}

function tell(line: object): void {
  // A parent that is gone cannot be told; the clean-up goes on.
  process.stdout.on('error', () => undefined)
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
