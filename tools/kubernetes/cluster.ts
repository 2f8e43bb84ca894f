import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { ensurePrograms, gatewayApiCrds, type Progress } from './build.ts'
import type { ControlPlane, SupervisorOptions } from './control-plane.ts'
import { clusterPrograms } from './parts.ts'
import { makeClusterFolder, removeCluster, sweepStaleClusters } from './stale-clusters.ts'

/** A real control plane, with the Gateway API's CRDs and the nodes that were asked for. */
export type RealCluster = ControlPlane &
  AsyncDisposable & {
    readonly kubectlPath: string
    readonly supervisorPid: number
    /** Ends every process and removes the folder. May be called twice. */
    readonly stop: () => Promise<void>
  }

export type RealClusterOptions = {
  /** Nodes on which pods become Running and Ready without running anything. */
  readonly kwokNodes: number
  readonly progress?: Progress
}

const ATTEMPTS_MAX = 3

/**
 * Starts a cluster of its own on free ports of 127.0.0.1 and resolves when it can be used (about 5 s; the first time the
 * programs are built, about 7 minutes). It ends with `stop`, and also when this process dies in any way.
 * @throws {ToolsUnavailable} when the programs are not built and cannot be built here
 */
export async function startRealCluster(options: RealClusterOptions): Promise<RealCluster> {
  const started = await superviseCluster(options, false)
  return { ...started, [Symbol.asyncDispose]: started.stop }
}

/** Starts a cluster that goes on after this process; `main.ts stop` ends it. */
export async function startDetachedCluster(options: RealClusterOptions): Promise<ControlPlane> {
  return await superviseCluster(options, true)
}

async function superviseCluster(
  options: RealClusterOptions,
  detached: boolean,
): Promise<Omit<RealCluster, typeof Symbol.asyncDispose>> {
  const built = await ensurePrograms(clusterPrograms, options.progress)
  const crdFolder = gatewayApiCrds()
  sweepStaleClusters()
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await superviseOnce({ programs: built, crdFolder, kwokNodes: options.kwokNodes, detached })
    } catch (error) {
      // Between the probe of a port and its use somebody else may take it.
      if (attempt === ATTEMPTS_MAX || !/address already in use/.test(String(error))) throw error
    }
  }
}

async function superviseOnce(
  options: Omit<SupervisorOptions, 'folder'>,
): Promise<Omit<RealCluster, typeof Symbol.asyncDispose>> {
  const { detached } = options
  const folder = makeClusterFolder()
  const script = fileURLToPath(new URL('supervisor.ts', import.meta.url))
  const child = spawn(process.execPath, [script, JSON.stringify({ ...options, folder })], {
    // A pipe that a program in the background holds open would make whoever reads it wait.
    stdio: [detached ? 'ignore' : 'pipe', 'pipe', detached ? 'ignore' : 'inherit'],
    detached,
  })
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
  // However the supervisor ended, nothing of its cluster may stay.
  const cleaned = gone.then(() => removeCluster(folder))
  const stop = async (): Promise<void> => {
    child.stdin?.end()
    await cleaned
  }
  try {
    if (!child.stdout) throw new Error('the supervisor has no output')
    const ready = await firstLine(child.stdout, gone)
    if (detached) {
      child.stdout.destroy()
      child.unref()
    }
    return { ...ready, kubectlPath: options.programs.kubectl, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

type Ready = ControlPlane & { readonly supervisorPid: number }

async function firstLine(output: NodeJS.ReadableStream, gone: Promise<void>): Promise<Ready> {
  let text = ''
  output.setEncoding('utf8')
  const line = new Promise<string>((resolve) => {
    output.on('data', (part: string) => {
      text += part
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
  })
  const told = await Promise.race([line, gone.then(() => undefined)])
  if (told === undefined) throw new Error('the supervisor of the cluster ended before the cluster was up')
  const message = JSON.parse(told) as { readonly ready?: Ready; readonly failed?: string }
  if (!message.ready) throw new Error(`the cluster did not start: ${message.failed}`)
  return message.ready
}
