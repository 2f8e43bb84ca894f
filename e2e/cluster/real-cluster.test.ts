import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { describe, expect, test } from 'vitest'

import { apiRequest } from '../../tools/kubernetes/api-request.ts'
import { canRunRealClusters } from '../../tools/kubernetes/availability.ts'
import { startRealCluster } from '../../tools/kubernetes/cluster.ts'

const available = await canRunRealClusters((line) => console.log(line))

/** Processes whose working directory is the cluster's folder, which only its programs have. */
function processesIn(folder: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`).startsWith(folder)
    } catch {
      // Ended this moment, or not ours to look at.
      return false
    }
  })
}

async function untilGone(folder: string): Promise<void> {
  const deadlineMs = Date.now() + 60_000
  while (existsSync(folder) || processesIn(folder).length > 0) {
    if (Date.now() > deadlineMs) throw new Error(`${folder} or its processes are still there`)
    await sleep(50)
  }
}

describe.runIf(available && process.platform === 'linux')('a real cluster', () => {
  test('two run side by side, know nothing of each other, and leave nothing behind', async () => {
    const [one, two] = await Promise.all([
      startRealCluster({ kwokNodes: 2 }),
      startRealCluster({ kwokNodes: 0 }),
    ])
    const nodesOf = async (cluster: typeof one): Promise<number> => {
      const certificateAuthority = readFileSync(
        `${dirname(cluster.kubeconfigPath)}/certificates/apiserver.crt`,
        'utf8',
      )
      const reply = await apiRequest({ ...cluster, certificateAuthority }, 'GET', '/api/v1/nodes')
      return (JSON.parse(reply.text) as { items: unknown[] }).items.length
    }
    expect([await nodesOf(one), await nodesOf(two)]).toEqual([2, 0])
    await Promise.all([one.stop(), two.stop()])
    await untilGone(dirname(one.kubeconfigPath))
    await untilGone(dirname(two.kubeconfigPath))
  })

  test('ends when the process that started it is killed', async () => {
    const { child, folder } = await startInChild()
    expect(processesIn(folder).length).toBeGreaterThan(4)
    child.kill('SIGKILL')
    await untilGone(folder)
  })

  test('ends when its supervisor is killed', async () => {
    const cluster = await startRealCluster({ kwokNodes: 0 })
    process.kill(cluster.supervisorPid, 'SIGKILL')
    await untilGone(dirname(cluster.kubeconfigPath))
  })
})

async function startInChild(): Promise<{ child: ReturnType<typeof spawn>; folder: string }> {
  const module = fileURLToPath(new URL('../../tools/kubernetes/cluster.ts', import.meta.url))
  const program = `import { startRealCluster } from ${JSON.stringify(module)}
    console.log((await startRealCluster({ kwokNodes: 0 })).kubeconfigPath)
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const path = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', (text: string) => resolve(text.trim()))
    child.once('exit', (code) => reject(new Error(`the child ended with ${code}`)))
  })
  return { child, folder: dirname(path) }
}
