/* The whole product as `npm start` runs it, in processes of its own, and the processes that belong to it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { systemClock, waitFor } from '@slipway/kit'

const START_MS = 120_000
const STOP_MS = 60_000

export const checkout = fileURLToPath(new URL('../..', import.meta.url))

/** A folder for one installation and everything around it; its name is the mark by which its processes are found. */
export async function makeHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'slipway-journey-'))
  // As root, Instances and PostgreSQL run under uids of their own and must be able to pass.
  await chmod(home, 0o711)
  return home
}

export type Ports = { readonly platform: number; readonly gateway: number; readonly cluster: number }

export type Product = {
  readonly pid: number
  readonly url: string
  readonly gatewayUrl: string
  readonly kubeconfig: string
  readonly firstRunToken: string | undefined
  /** Ends it in order. */
  readonly stop: () => Promise<void>
  /**
   * SIGKILL at one moment to launcher, platform, embedded cluster and PostgreSQL, and, if told, to the Instances too, as when
   * the machine loses its power; resolves when they are gone.
   */
  readonly kill: (options: { readonly instances: boolean }) => Promise<void>
}

/** Starts the product on a home, new or used; the same ports find the same Workloads at the same addresses. */
export async function startProduct(home: string, ports: Ports): Promise<Product> {
  const child = spawn(
    process.execPath,
    [
      '--conditions=source',
      join(checkout, 'packages/launcher/src/main.ts'),
      `--data=${join(home, 'data')}`,
      `--port=${ports.platform}`,
      `--gateway-port=${ports.gateway}`,
      `--cluster-port=${ports.cluster}`,
      '--no-sample',
    ],
    { cwd: home, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, HOME: home, INIT_CWD: checkout } },
  )
  const said = collect(child)
  const lines = await waitFor(
    systemClock,
    'the product to be ready',
    () => {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`the start failed: ${said.out()} ${said.err()}`)
      return said.out().includes('logsFolder=') && said.out().endsWith('\n') ? linesOf(said.out()) : undefined
    },
    { timeoutMs: START_MS },
  )
  const gone = once(child, 'exit')
  return {
    pid: child.pid ?? 0,
    url: lines.get('url') ?? '',
    gatewayUrl: lines.get('gatewayUrl') ?? '',
    kubeconfig: lines.get('kubeconfig') ?? '',
    firstRunToken: lines.get('firstRunToken') || undefined,
    async stop() {
      child.kill('SIGTERM')
      await gone
    },
    async kill({ instances }) {
      const family = instances ? await freezeAll(home) : await controlPlaneOf(child.pid ?? 0, home)
      for (const pid of family) signalQuietly(pid, 'SIGKILL')
      await gone
      await waitFor(
        systemClock,
        'the family to be gone',
        async () => (await Promise.all(family.map(isAlive))).every((alive) => !alive),
        { timeoutMs: STOP_MS },
      )
    },
  }
}

function collect(child: ChildProcess): { readonly out: () => string; readonly err: () => string } {
  let out = ''
  let err = ''
  child.stdout?.on('data', (part: Buffer) => (out += part.toString('utf8')))
  child.stderr?.on('data', (part: Buffer) => (err = (err + part.toString('utf8')).slice(-20_000)))
  return { out: () => out, err: () => err }
}

function linesOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    text
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}

/** Stops everything in its tracks, what begins meanwhile too: when power is lost nobody sees another die. */
async function freezeAll(home: string): Promise<number[]> {
  const frozen = new Set<number>()
  for (;;) {
    const fresh = (await findProcesses(home)).filter(({ pid }) => !frozen.has(pid))
    if (fresh.length === 0) return [...frozen]
    for (const { pid } of fresh) {
      signalQuietly(pid, 'SIGSTOP')
      frozen.add(pid)
    }
  }
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Gone already: that is what is wanted.
  }
}

type Process = { readonly pid: number; readonly parent: number; readonly state: string }

async function processes(): Promise<Process[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/u.test(name))
  const found = await Promise.all(names.map(readProcess))
  return found.filter((one) => one !== undefined)
}

async function readProcess(name: string): Promise<Process | undefined> {
  try {
    const text = await readFile(`/proc/${name}/stat`, 'utf8')
    const [state = '', parent = '0'] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { pid: Number(name), parent: Number(parent), state }
  } catch {
    // It ended between the two looks.
    return undefined
  }
}

async function isAlive(pid: number): Promise<boolean> {
  const found = await readProcess(String(pid))
  return found !== undefined && found.state !== 'Z'
}

/** Launcher, platform and cluster with what they run themselves, and PostgreSQL; not what the cluster runs for Applications. */
async function controlPlaneOf(launcher: number, home: string): Promise<number[]> {
  const all = await processes()
  const parts = all.filter(({ parent }) => parent === launcher).map(({ pid }) => pid)
  const databases = (await findProcesses(home)).filter(({ command }) => /^[^ ]*postgres/u.test(command))
  return [...new Set([launcher, ...parts, ...databases.map(({ pid }) => pid)])]
}

type Found = { readonly pid: number; readonly command: string }

/** Processes whose command line, environment or folder names the home: whatever was started for it and has not ended. */
export async function findProcesses(home: string): Promise<Found[]> {
  const all = await processes()
  const data = join(home, 'data')
  const found = await Promise.all(
    all.map(async ({ pid, state }): Promise<Found | undefined> => {
      if (pid === process.pid || state === 'Z') return undefined
      const [command, environment, folder] = await Promise.all([
        readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => ''),
        readFile(`/proc/${pid}/environ`, 'latin1').catch(() => ''),
        readlink(`/proc/${pid}/cwd`).catch(() => ''),
      ])
      const isOurs = [command, environment, folder].some((text) => text.includes(data))
      return isOurs ? { pid, command: command.replaceAll('\0', ' ').trim() } : undefined
    }),
  )
  return found.filter((one) => one !== undefined)
}

/** Removes a home once nothing of it runs any more. @throws {Error} naming what still runs */
export async function removeHome(home: string): Promise<void> {
  await waitFor(
    systemClock,
    'nothing to be left running',
    async () => (await findProcesses(home)).length === 0,
    {
      timeoutMs: STOP_MS,
    },
  ).catch(async (cause: unknown) => {
    const left = (await findProcesses(home)).map(({ pid, command }) => `${pid} ${command}`)
    throw new Error(`left running: ${left.join('; ')}`, { cause })
  })
  await rm(home, { recursive: true, force: true })
}
