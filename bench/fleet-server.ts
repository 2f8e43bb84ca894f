/*
 * A second API server on the store of a real control plane, for nobody but the platform: its own metrics count exactly what the
 * platform asks for, and it can end and begin again, with an empty watch cache, while everything else goes on.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import type { RealCluster } from '../tools/kubernetes/cluster.ts'
import { freePorts } from '../tools/kubernetes/free-ports.ts'
import { apiClient } from './api-client.ts'

/** Requests so far by `VERB resource`. */
export type Requests = ReadonlyMap<string, number>

export type OwnServer = AsyncDisposable & {
  readonly kubeconfigPath: string
  readonly pid: () => number
  /** Since this server began. */
  readonly requests: () => Promise<Requests>
  /** Ends it at once; connections break. */
  readonly end: () => Promise<void>
  /** Begins it again at the same address; resolves when it answers. */
  readonly begin: () => Promise<void>
}

const READY_DEADLINE_MS = 120_000

export async function startOwnServer(cluster: RealCluster): Promise<OwnServer> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-'))
  const [port = 0] = await freePorts('127.0.0.1', 1)
  const [program = '', ...flags] = readFileSync(`/proc/${cluster.apiServer.pid}/cmdline`, 'utf8')
    .split('\0')
    .filter((part) => part !== '')
    .map((part) => part.replace(/^--secure-port=.*$/u, `--secure-port=${port}`))
  const kubeconfigPath = join(folder, 'kubeconfig')
  const kubeconfig = readFileSync(cluster.kubeconfigPath, 'utf8')
  writeFileSync(kubeconfigPath, kubeconfig.replace(cluster.apiUrl, `https://127.0.0.1:${port}`), {
    mode: 0o600,
  })
  let child: ChildProcess | undefined

  async function end(): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  async function begin(): Promise<void> {
    child = spawn(program, flags, { cwd: folder, stdio: 'ignore' })
    using client = apiClient(kubeconfigPath, 1)
    const deadline = performance.now() + READY_DEADLINE_MS
    // Refused until it listens, and not ready until its own parts are: both are what is waited for.
    while (!(await client.call('GET', '/readyz').catch(() => undefined))) {
      if (performance.now() > deadline) throw new Error('the API server did not become ready')
      await sleep(100)
    }
  }

  const stop = async (): Promise<void> => {
    await end()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await begin()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    kubeconfigPath,
    pid: () => child?.pid ?? 0,
    async requests() {
      using client = apiClient(kubeconfigPath, 1)
      return requestsIn((await client.call('GET', '/metrics')).toString('utf8'))
    },
    end,
    begin,
    [Symbol.asyncDispose]: stop,
  }
}

function requestsIn(metrics: string): Requests {
  const found = new Map<string, number>()
  for (const [, labels = '', value = ''] of metrics.matchAll(
    /^apiserver_request_total\{([^}]*)\} (\S+)$/gmu,
  )) {
    const label = (name: string): string =>
      new RegExp(`(?:^|,)${name}="([^"]*)"`, 'u').exec(labels)?.[1] ?? ''
    const resource = [label('resource'), label('subresource')].filter((part) => part !== '').join('/')
    const key = `${label('verb')} ${resource === '' ? '(no resource)' : resource}`
    found.set(key, (found.get(key) ?? 0) + Number(value))
  }
  return found
}

/** Requests per second between two looks, without those that come at rest anyway. */
export function ratesOf(before: Requests, after: Requests, seconds: number): ReadonlyMap<string, number> {
  return new Map(
    [...after].map(([key, count]): [string, number] => [key, (count - (before.get(key) ?? 0)) / seconds]),
  )
}
