/* A cluster to which nobody outside has a route, and its agent. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

type Places = {
  readonly kubeconfigPath: string
  readonly kubectlPath: string
  readonly apiUrl: string
  readonly certificateAuthority: string
  readonly devices: readonly { readonly ifname: string }[]
}

export type ClosedNetwork = AsyncDisposable &
  Places & {
    /** kubectl as the operator inside. */
    readonly kubectl: (parameters: readonly string[], input?: string) => Promise<string>
    /** Starts the agent of a manifest inside, as its pod would run; `lines` is what it has said. */
    readonly startAgent: (program: string, token: string) => Promise<Agent>
  }

export type Agent = { readonly process: ChildProcess; readonly lines: () => string }

/** @param platformPort - the only port outside that can be reached from inside, where it has the same number */
export async function startClosedNetwork(platformPort: number): Promise<ClosedNetwork> {
  await using cleanup = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'slipway-closed-'))
  cleanup.defer(() => rm(folder, { recursive: true, force: true }))
  const wayOut = join(folder, 'out.sock')
  const outside = createServer((socket) => {
    const platform = connect(platformPort, '127.0.0.1')
    socket.pipe(platform).pipe(socket)
    for (const end of [socket, platform])
      end.on('error', () => undefined).on('close', () => (socket.destroy(), platform.destroy()))
  })
  outside.listen(wayOut)
  await once(outside, 'listening')
  cleanup.defer(async () => void outside.close())

  const script = fileURLToPath(new URL('inside.ts', import.meta.url))
  const child = spawn(
    'unshare',
    ['--net', process.execPath, '--conditions=source', script, String(platformPort), wayOut],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  cleanup.defer(async () => {
    if (child.exitCode !== null) return
    const gone = once(child, 'exit')
    child.stdin.end()
    await gone
  })
  const places = JSON.parse(await firstLine(child)) as Places
  const inside = ['--target', String(child.pid), '--net']
  const kubectl: ClosedNetwork['kubectl'] = async (parameters, input = '') => {
    const command = [...inside, places.kubectlPath, '--kubeconfig', places.kubeconfigPath, ...parameters]
    const running = run('nsenter', command, { maxBuffer: 16 * 1024 * 1024 })
    running.child.stdin?.end(input)
    return (await running).stdout
  }
  const agents: ChildProcess[] = []
  cleanup.defer(async () => {
    for (const agent of agents) agent.kill('SIGKILL')
  })
  const startAgent: ClosedNetwork['startAgent'] = async (program, token) => {
    const account = join(folder, 'account')
    await mkdir(account, { recursive: true })
    await writeFile(join(account, 'ca.crt'), places.certificateAuthority)
    await writeFile(
      join(account, 'token'),
      (await kubectl(['create', 'token', 'slipway', '-n', 'slipway-system'])).trim(),
    )
    await writeFile(join(folder, 'token'), token)
    await writeFile(join(folder, 'agent.mjs'), program)
    const agent = spawn('nsenter', [...inside, process.execPath, join(folder, 'agent.mjs')], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        SLIPWAY_URL: `http://127.0.0.1:${platformPort}`,
        SLIPWAY_AGENT_TOKEN_FILE: join(folder, 'token'),
        SLIPWAY_SERVICE_ACCOUNT: account,
        KUBERNETES_SERVICE_HOST: '127.0.0.1',
        KUBERNETES_SERVICE_PORT: new URL(places.apiUrl).port,
      },
    })
    agents.push(agent)
    let said = ''
    agent.stdout.on('data', (part: Buffer) => (said += part.toString('utf8')))
    return { process: agent, lines: () => said }
  }
  const owned = cleanup.move()
  return { ...places, kubectl, startAgent, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function firstLine({ stdout }: { readonly stdout: NodeJS.ReadableStream }): Promise<string> {
  let text = ''
  for await (const part of stdout) {
    text += String(part)
    if (text.includes('\n')) return text.slice(0, text.indexOf('\n'))
  }
  throw new Error('the closed network did not come up')
}
