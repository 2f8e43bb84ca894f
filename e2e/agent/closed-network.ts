/* A cluster to which nobody outside has a route. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

export type ClosedNetworkOptions = {
  /** The only address outside that can be reached from inside, where it is the same. */
  readonly platform: { readonly address: string; readonly port: number }
  /** Nodes that run containers; without any, the cluster has two of kwok. */
  readonly nodes: number
  /** A registry that the nodes trust by an authority. */
  readonly trusted?: { readonly host: string; readonly authority: string }
}

export type InsideOptions = ClosedNetworkOptions & {
  /** Sockets in the file system, which namespaces of the network do not divide. */
  readonly wayOut: string
  readonly wayIn: string
}

export type Places = {
  readonly kubeconfigPath: string
  readonly kubectlPath: string
  readonly apiUrl: string
  readonly certificateAuthority: string
  /** Empty without nodes that run containers. */
  readonly gatewayUrl: string
  readonly devices: readonly { readonly ifname: string }[]
}

export type ClosedNetwork = AsyncDisposable &
  Places & {
    /** kubectl as the operator inside. */
    readonly kubectl: (parameters: readonly string[], input?: string) => Promise<string>
    /** What runs a program inside. */
    readonly command: readonly string[]
    /** Where visitors come in who are inside; nobody but this process knows it. */
    readonly entranceUrl: string
    /** Breaks every connection that leads outside. */
    readonly cut: () => void
  }

/** Starts it and resolves when it can be used. Needs root. */
export async function startClosedNetwork(options: ClosedNetworkOptions): Promise<ClosedNetwork> {
  await using cleanup = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'slipway-closed-'))
  cleanup.defer(() => rm(folder, { recursive: true, force: true }))
  const { address, port } = options.platform
  const [wayOut, wayIn] = [join(folder, 'out.sock'), join(folder, 'in.sock')]
  const outside = cleanup.use(await door({ path: wayOut }, () => connect(port, address)))
  const entrance = cleanup.use(await door({ host: '127.0.0.1', port: 0 }, () => connect(wayIn)))
  const script = fileURLToPath(new URL('inside.ts', import.meta.url))
  const inside: InsideOptions = { ...options, wayOut, wayIn }
  const child = spawn(
    'unshare',
    ['--net', process.execPath, '--conditions=source', script, JSON.stringify(inside)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  cleanup.defer(async () => {
    if (child.exitCode !== null) return
    const gone = once(child, 'exit')
    child.stdin.end()
    await gone
  })
  const places = JSON.parse(await firstLine(child)) as Places
  const command = ['nsenter', '--target', String(child.pid), '--net']
  const kubectl: ClosedNetwork['kubectl'] = async (parameters, input = '') => {
    const [program, ...rest] = [...command, places.kubectlPath, '--kubeconfig', places.kubeconfigPath]
    const running = run(program, [...rest, ...parameters], { maxBuffer: 16 * 1024 * 1024 })
    running.child.stdin?.end(input)
    return (await running).stdout
  }
  const owned = cleanup.move()
  return {
    ...places,
    command,
    kubectl,
    entranceUrl: `http://127.0.0.1:${entrance.port}`,
    cut: outside.cut,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

type Door = AsyncDisposable & { readonly port: number; readonly cut: () => void }

/** Whoever comes in is led on. */
export async function door(
  listen: { readonly path: string } | { readonly host: string; readonly port: number },
  dial: () => Socket,
): Promise<Door> {
  const open = new Set<Socket>()
  const server = createServer((near) => {
    const far = dial()
    near.pipe(far).pipe(near)
    for (const end of [near, far]) {
      open.add(end)
      end.on('error', () => undefined).on('close', () => (open.delete(end), near.destroy(), far.destroy()))
    }
  })
  server.listen(listen)
  await once(server, 'listening')
  const address = server.address()
  const cut = (): void => {
    for (const socket of open) socket.destroy()
  }
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cut,
    async [Symbol.asyncDispose]() {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function firstLine({ stdout }: { readonly stdout: NodeJS.ReadableStream }): Promise<string> {
  let text = ''
  for await (const part of stdout) {
    text += String(part)
    if (text.includes('\n')) return text.slice(0, text.indexOf('\n'))
  }
  throw new Error('the closed network did not come up')
}
