/*
 * The API servers that the conformance suite runs against: a real one, built by tools/kubernetes, and the embedded one. Both
 * have nodes on which pods become Ready without running anything, so that the same cases run on both.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { systemClock, waitFor } from '@slipway/kit'
import { type Kube, kubeClient, KubeError, type Kubeconfig, parseKubeconfig } from '@slipway/kube'
import { startMinicluster } from '@slipway/minicluster'

import { canRunRealClusters } from '../../tools/kubernetes/availability.ts'
import { startRealCluster } from '../../tools/kubernetes/cluster.ts'

export type RawReply = {
  readonly code: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** The text as JSON; undefined when it is none. */
  readonly json: unknown
}

export type RawRequest = {
  readonly method?: string
  readonly accept?: string
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as it is when it is text, else as JSON. */
  readonly body?: unknown
}

export type ServerUnderTest = AsyncDisposable & {
  readonly name: 'real' | 'embedded'
  readonly kube: Kube & Disposable
  readonly kubeconfigPath: string
  /** Chooses nodes that only pretend to run pods. */
  readonly nodeSelector: Readonly<Record<string, string>>
  /** A request without our client in between. */
  readonly raw: (path: string, request?: RawRequest) => Promise<RawReply>
}

/** Whether the real one can be built here; said in one line where not. */
export const hasRealServer = await canRunRealClusters((line) => console.log(`cluster: ${line}`))
export const serverNames = hasRealServer ? (['real', 'embedded'] as const) : (['embedded'] as const)

export async function startServer(name: ServerUnderTest['name']): Promise<ServerUnderTest> {
  return name === 'real' ? await startReal() : await startEmbedded()
}

async function startReal(): Promise<ServerUnderTest> {
  const cluster = await startRealCluster({ kwokNodes: 3 })
  return serverAt('real', cluster.kubeconfigPath, { type: 'kwok' }, cluster.stop)
}

async function startEmbedded(): Promise<ServerUnderTest> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'slipway-conformance-'))
  // As root, Instances run under uids of their own and must be able to pass.
  chmodSync(dataFolder, 0o711)
  const remove = (): void => rmSync(dataFolder, { recursive: true, force: true })
  const options = { dataFolder, apiPort: 0, gatewayPort: 0, clock: systemClock, log: () => undefined }
  try {
    const cluster = await startMinicluster({ ...options, simulatedNodes: 3 })
    return serverAt('embedded', cluster.kubeconfigPath, { 'slipway/simulated': 'true' }, async () => {
      await cluster.stop()
      remove()
    })
  } catch (error) {
    remove()
    throw error
  }
}

function serverAt(
  name: ServerUnderTest['name'],
  kubeconfigPath: string,
  nodeSelector: ServerUnderTest['nodeSelector'],
  stop: () => Promise<void>,
): ServerUnderTest {
  const kubeconfig = parseKubeconfig(readFileSync(kubeconfigPath, 'utf8'))
  const kube = kubeClient({ access: kubeconfig.access, clock: systemClock, userAgent: 'slipway-conformance' })
  return {
    name,
    kube,
    kubeconfigPath,
    nodeSelector,
    raw: (path, options = {}) => rawRequest(kubeconfig, path, options),
    async [Symbol.asyncDispose]() {
      kube[Symbol.dispose]()
      await stop()
    },
  }
}

function rawRequest({ access }: Kubeconfig, path: string, options: RawRequest): Promise<RawReply> {
  const { token, clientCertificate } = access.credentials
  const body =
    options.body === undefined || typeof options.body === 'string'
      ? options.body
      : JSON.stringify(options.body)
  const headers = {
    ...options.headers,
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(options.accept !== undefined && { accept: options.accept }),
    ...(body !== undefined && {
      'content-type': options.contentType ?? 'application/json',
      'content-length': Buffer.byteLength(body),
    }),
  }
  const tls = {
    ca: access.certificateAuthority,
    cert: clientCertificate?.certificate,
    key: clientCertificate?.key,
    agent: false,
  }
  return new Promise((resolve, reject) => {
    const method = options.method ?? 'GET'
    const sent = request(
      new URL(path, access.server),
      { method, headers, ...tls, timeout: 30_000 },
      (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(parts).toString('utf8')
          resolve({ code: response.statusCode ?? 0, headers: response.headers, text, json: jsonIn(text) })
        })
      },
    )
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${path} took more than 30 s`)))
    sent.on('error', reject)
    sent.end(body)
  })
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Streams and plain texts are looked at as text.
    return undefined
  }
}

/** Waits until `condition` holds; the deadline is for a hang, not a statement about speed. */
export async function until<T>(
  what: string,
  condition: () => Promise<T | undefined | null | false> | T | undefined | null | false,
): Promise<T> {
  return await waitFor(systemClock, what, condition, { timeoutMs: 60_000, everyMs: 50 })
}

let count = 0
/** A namespace of its own for one case; both servers are thrown away with everything in it. */
export async function newNamespace(
  kube: Kube,
  labels: Readonly<Record<string, string>> = {},
): Promise<string> {
  count += 1
  const name = `case-${count}`
  await kube.create('namespaces', { metadata: { name, labels } })
  return name
}

/** What the request was refused with. */
export async function failureOf(promise: Promise<unknown>): Promise<KubeError> {
  const error: unknown = await promise.then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  )
  if (error instanceof KubeError) return error
  throw error
}
