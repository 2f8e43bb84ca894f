/** A node agent over a real store and a real registry protocol, for the tests of this folder. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmod, cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'

import { systemClock, waitFor } from '@slipway/kit'
import { BASE_LAYERS_KEY, BASE_NAME_KEY } from '@slipway/oci'

import type { Log, Objects, Registry, Stored } from '../model.ts'
import { openRegistry } from '../registry/index.ts'
import { startKubelet, type Kubelet, type KubeletOptions } from './kubelet.ts'
import type { Periods, Pod } from './model.ts'

export const NODE = 'testnode'
export const NAMESPACE = 'shop'
const IMAGE = 'tests/fixtures:1'

const FAST: Partial<Periods> = {
  scanMs: 200,
  diskMs: 300,
  portsMs: 200,
  notListeningMs: 1_500,
  restartFirstMs: 300,
}

export type Stage = AsyncDisposable & {
  readonly folder: string
  readonly registry: Registry
  readonly image: string
  readonly kubelet: () => Kubelet
  readonly start: (options?: Partial<KubeletOptions>) => Promise<Kubelet>
  readonly createPod: (name: string, spec: Partial<PodInput>) => Promise<Pod>
  readonly waitForPod: (name: string, what: string, holds: (pod: Pod) => boolean) => Promise<Pod>
  readonly waitForEvent: (pod: string, reason: string) => Promise<Stored<'events'>>
  readonly waitGone: (name: string) => Promise<void>
  readonly log: (pod: string, container?: string) => Promise<string>
}

type PodInput = {
  readonly command: readonly string[]
  readonly container: Record<string, unknown>
  readonly spec: Record<string, unknown>
  readonly annotations: Record<string, string>
}

export const quiet: Log = (level, message, fields) => {
  if (process.env['SLIPWAY_TEST_LOG'] !== undefined)
    process.stderr.write(`${level} ${message} ${JSON.stringify(fields ?? {})}\n`)
}

/** A folder that Instances under other uids can enter. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'slipway-kubelet-'))
  await chmod(folder, 0o711)
  return folder
}

/** Opens store and registry; the agent is started by `start`. With a place given, both belong to the caller. */
export async function openStage(given?: { readonly folder: string; readonly image: string }): Promise<Stage> {
  const folder = given?.folder ?? (await makeFolder())
  const store = await openRegistry({ dataFolder: path.join(folder, 'store'), clock: systemClock, log: quiet })
  const { registry } = store
  await makeNamespaces(registry)
  const images = given ? undefined : await serveImage(folder)
  const image = given?.image ?? images?.image ?? ''
  let kubelet: Kubelet | undefined

  async function start(options: Partial<KubeletOptions> = {}): Promise<Kubelet> {
    kubelet = await startKubelet({ ...kubeletOptions(registry, folder), ...options })
    return kubelet
  }

  return {
    folder,
    registry,
    image,
    start,
    kubelet() {
      if (!kubelet) throw new Error('start the agent first')
      return kubelet
    },
    createPod: (name, input) => registry.create('pods', podOf(name, image, input), 'test'),
    waitForPod: (name, what, holds) =>
      waitFor(
        systemClock,
        `pod ${name}: ${what}`,
        () => {
          const pod = registry.get('pods', NAMESPACE, name)
          return pod && holds(pod) && pod
        },
        { timeoutMs: 30_000, everyMs: 20 },
      ).catch((error: unknown) => {
        const pod = registry.get('pods', NAMESPACE, name)
        throw new Error(
          `${String(error)}: ${JSON.stringify(pod?.status)} ${JSON.stringify(eventsOf(registry, name))}`,
        )
      }),
    waitForEvent: (pod, reason) =>
      waitFor(
        systemClock,
        `event ${reason} of ${pod}`,
        () =>
          registry
            .list('events', NAMESPACE)
            .find((event) => event.involvedObject.name === pod && event.reason === reason),
        { timeoutMs: 30_000, everyMs: 20 },
      ).catch((error: unknown) => {
        throw new Error(`${String(error)}: ${JSON.stringify(eventsOf(registry, pod))}`)
      }),
    waitGone: async (name) => {
      await waitFor(systemClock, `pod ${name} to be gone`, () => !registry.get('pods', NAMESPACE, name), {
        timeoutMs: 30_000,
        everyMs: 20,
      })
    },
    async log(pod, container = 'main') {
      if (!kubelet) return ''
      return readAll(await kubelet.logs({ namespace: NAMESPACE, pod, container }, {}))
    },
    async [Symbol.asyncDispose]() {
      await kubelet?.[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
      images?.[Symbol.dispose]()
      if (!given) await rm(folder, { recursive: true, force: true })
    },
  }
}

function kubeletOptions(registry: Registry, folder: string): KubeletOptions {
  return {
    registry,
    nodeName: NODE,
    dataFolder: path.join(folder, 'kubelet'),
    clock: systemClock,
    log: quiet,
    periods: FAST,
  }
}

function eventsOf(registry: Registry, pod: string): readonly string[] {
  return registry
    .list('events', NAMESPACE)
    .filter((event) => event.involvedObject.name === pod)
    .map((event) => `${event.reason}: ${event.message}`)
}

async function makeNamespaces(registry: Registry): Promise<void> {
  for (const name of [NAMESPACE, 'kube-node-lease'])
    if (!registry.get('namespaces', undefined, name))
      await registry.create('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, 'test')
}

function podOf(name: string, image: string, input: Partial<PodInput>): Objects['pods'] {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE, annotations: input.annotations ?? {} },
    spec: {
      nodeName: NODE,
      terminationGracePeriodSeconds: 5,
      automountServiceAccountToken: false,
      containers: [
        { name: 'main', image, command: input.command ?? ['node', '/app/server.mjs'], ...input.container },
      ],
      ...input.spec,
    },
  }
}

export async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** Serves one Image of base host/node whose /app is the folder of fixtures. */
export async function serveImage(scratch: string): Promise<Disposable & { readonly image: string }> {
  const files = path.join(import.meta.dirname, 'fixtures')
  const root = path.join(scratch, 'image')
  await mkdir(root)
  await cp(files, path.join(root, 'app'), { recursive: true })
  await promisify(execFile)('tar', [
    '--create',
    '--file',
    path.join(scratch, 'layer.tar'),
    '--directory',
    root,
    'app',
  ])
  const tar = await readFile(path.join(scratch, 'layer.tar'))
  const layer = gzipSync(tar)
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const config = Buffer.from(
    JSON.stringify({
      architecture,
      os: 'linux',
      config: {
        Env: ['GREETING=from-image', 'PATH=/opt/base/bin'],
        Cmd: ['node', '/app/server.mjs'],
        WorkingDir: '/app',
      },
      rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
      history: [],
    }),
  )
  const descriptor = (mediaType: string, bytes: Buffer): object => ({
    mediaType,
    size: bytes.length,
    digest: digestOf(bytes),
  })
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: descriptor('application/vnd.oci.image.config.v1+json', config),
      layers: [descriptor('application/vnd.oci.image.layer.v1.tar+gzip', layer)],
      annotations: { [BASE_NAME_KEY]: 'host/node', [BASE_LAYERS_KEY]: '0' },
    }),
  )
  const bodies = new Map([config, layer, manifest].map((bytes) => [digestOf(bytes), bytes]))
  const server = createServer((request, response) => {
    const [, repository, , reference] = /^\/v2\/(.*)\/(manifests|blobs)\/(.*)$/.exec(request.url ?? '') ?? []
    const bytes =
      repository === 'tests/fixtures'
        ? reference === '1'
          ? manifest
          : bodies.get(reference ?? '')
        : undefined
    if (!bytes) {
      response.writeHead(request.url === '/v2/' ? 200 : 404, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'unknown' }] }))
      return
    }
    const type =
      bytes === manifest ? 'application/vnd.oci.image.manifest.v1+json' : 'application/octet-stream'
    response.writeHead(200, {
      'content-type': type,
      'content-length': bytes.length,
      'docker-content-digest': digestOf(bytes),
    })
    response.end(request.method === 'HEAD' ? undefined : bytes)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    image: `127.0.0.1:${(server.address() as AddressInfo).port}/${IMAGE}`,
    [Symbol.dispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}
