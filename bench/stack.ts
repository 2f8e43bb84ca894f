/* The whole product as `npm start` runs it, in processes of its own, with a fresh data folder. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export type Stack = AsyncDisposable & {
  /** Of the launcher; everything else is below it. */
  readonly pid: number
  readonly url: string
  readonly gatewayUrl: string
  readonly kubeconfig: string
  readonly logsFolder: string
  readonly firstRunToken: string
  /** `performance.now()` when the start was asked for. */
  readonly startedAt: number
  /** Until the platform answered, ms. */
  readonly readyMs: number
  /** The sample's own address, as soon as the platform names it. */
  readonly sampleUrl: () => string | undefined
}

const READY_DEADLINE_MS = 180_000
/** On a disk, as in real use; /tmp may be memory. */
const PARENT = '/var/tmp'

export async function startStack(parameters: readonly string[] = []): Promise<Stack> {
  const folder = mkdtempSync(join(PARENT, 'slipway-bench-'))
  // As root, Instances and PostgreSQL run under uids of their own and must be able to pass.
  chmodSync(folder, 0o711)
  const root = fileURLToPath(new URL('..', import.meta.url))
  const ports = ['--port=0', '--gateway-port=0', '--cluster-port=0']
  const startedAt = performance.now()
  const child = spawn(
    process.execPath,
    [
      '--conditions=source',
      '--disable-warning=ExperimentalWarning',
      '--max-semi-space-size=2',
      'packages/launcher/src/main.ts',
      `--data=${join(folder, 'data')}`,
      ...ports,
      ...parameters,
    ],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, INIT_CWD: root } },
  )
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const lines = await readLines(child)
    const readyMs = performance.now() - startedAt
    const line = (name: string): string => lines.get(name) ?? ''
    return {
      pid: child.pid ?? 0,
      url: line('url'),
      gatewayUrl: line('gatewayUrl'),
      kubeconfig: line('kubeconfig'),
      logsFolder: line('logsFolder'),
      firstRunToken: line('firstRunToken'),
      startedAt,
      readyMs,
      sampleUrl: () => sampleUrlIn(line('runFile')),
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The names and values that the launcher prints for programs; the folder of the logs is the last one. */
async function readLines(child: ChildProcess): Promise<ReadonlyMap<string, string>> {
  let text = ''
  child.stdout?.on('data', (part: Buffer) => (text += part.toString('utf8')))
  const deadline = performance.now() + READY_DEADLINE_MS
  while (!/^logsFolder=.*\n/mu.test(text)) {
    if (child.exitCode !== null) throw new Error(`the start failed with exit code ${child.exitCode}`)
    if (performance.now() > deadline) throw new Error(`nothing was ready after ${READY_DEADLINE_MS} ms`)
    await sleep(10)
  }
  const lines = text.trim().split('\n')
  return new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
}

function sampleUrlIn(runFile: string): string | undefined {
  const info = JSON.parse(readFileSync(runFile, 'utf8')) as { readonly sampleUrl: string | null }
  return info.sampleUrl ?? undefined
}
