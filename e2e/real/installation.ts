/*
 * A platform beside a cluster with nodes: it knows the cluster by its kubeconfig, answers the nodes over TLS, and has the bases
 * that applications and builds run on.
 */
import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { systemClock, waitFor } from '@slipway/kit'
import {
  buildImage,
  type BuildOptions,
  clientSink,
  clientSource,
  importArchive,
  type RegistryClient,
  registryClient,
} from '@slipway/oci'
import { freePort, testPlatform } from '@slipway/testkit'

import { makeAuthority, type TestAuthority } from '../../tools/kubernetes/certificates.ts'
import { type RealClusterWithNodes, startNodeCluster } from '../../tools/kubernetes/cluster.ts'
import type { Cli } from '../journey/cli.ts'
import { settleIn, WORKLOAD, type Developer } from '../journey/developer.ts'
import { makeHome, removeHome } from '../journey/product.ts'
import type { Entrance } from '../journey/visitors.ts'
import { ensureBaseArchive } from './base-image.ts'
import { forwardSecurely } from './secure-server.ts'
import { tarOf } from './tar.ts'

const WAIT_MS = 120_000

export type Instance = {
  readonly id: string
  readonly ready: boolean
  readonly node: string | null
  readonly releaseNumber: number | null
  readonly why: { readonly code: string; readonly params: Readonly<Record<string, unknown>> } | null
}

export type Installation = AsyncDisposable & {
  readonly cluster: RealClusterWithNodes
  readonly developer: Developer
  /** Of the developer; git repositories may lie there. */
  readonly home: string
  /** Lets nodes trust the registry, which they do not before. */
  readonly trustRegistry: () => void
  /** Publishes a program of one file for Node; its digest. */
  readonly push: (program: string) => Promise<string>
  /** Where visitors of the Workload come in. */
  readonly entrance: () => Promise<Entrance>
  /** Instances of the newest Release that has any. */
  readonly instances: () => Promise<readonly Instance[]>
}

/** Starts all of it and makes the Workload of a developer. */
export async function openInstallation(options: { readonly nodes: number }): Promise<Installation> {
  await using cleanup = new AsyncDisposableStack()
  const home = await makeHome()
  cleanup.defer(() => removeHome(home))
  const cluster = cleanup.use(await startNodeCluster(options))
  const authority = makeAuthority('slipway-e2e-platform')
  const port = await freePort()
  const front = cleanup.use(await forwardSecurely(authority, cluster.hostAddress, port))
  const settings = { port, publicUrl: front.url, localSourceRoots: home }
  const { firstRunToken } = cleanup.use(await testPlatform(settings))
  const urls = { inside: `http://127.0.0.1:${port}`, outside: front.url }
  let client: RegistryClient | undefined
  const developer = await settleIn({ url: urls.inside, firstRunToken }, home, async (cli) => {
    await cli.succeed(['cluster', 'register', 'real', '--kubeconfig', cluster.kubeconfigPath, '--default'])
    client = await clientFor(cli, urls)
    await pushBases(client, authority)
  })
  const registry = client
  if (!registry) throw new Error('settling in prepares nothing')
  const owned = cleanup.move()
  return {
    cluster,
    developer,
    home,
    trustRegistry: () => cluster.trustRegistry(front.host, authority.certificate),
    push: (program) =>
      append(registry, { 'server.js': program }, 'shop/web', {
        command: ['node', 'server.js'],
        ports: [8080],
      }),
    async entrance() {
      const workload = await developer.cli.json('workload', 'show', WORKLOAD)
      // Nobody resolves the name; the Gateway's address stands in for that.
      const [address = ''] = workload['urls'] as readonly string[]
      return { url: cluster.gatewayUrl, host: new URL(address).host }
    },
    async instances() {
      const all = (await developer.cli.json('instance', 'list', WORKLOAD)) as unknown as readonly Instance[]
      const newest = Math.max(...all.map(({ releaseNumber }) => releaseNumber ?? 0))
      return all.filter(({ releaseNumber }) => releaseNumber === newest)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function clientFor(
  cli: Cli,
  urls: { readonly inside: string; readonly outside: string },
): Promise<RegistryClient> {
  const secret = String((await cli.json('token', 'create', 'images'))['secret'])
  return registryClient({
    baseUrl: urls.inside,
    credentials: { username: 'operator', password: secret },
    clock: systemClock,
    // The registry names itself as the nodes know it, by a certificate that this process does not trust.
    fetch: (input, init) =>
      fetch(
        typeof input === 'object' && 'url' in input
          ? input
          : String(input).replace(urls.outside, urls.inside),
        init,
      ),
  })
}

/** The bases of applications and of builds; builds send to the platform and must trust its authority. */
async function pushBases(client: RegistryClient, authority: TestAuthority): Promise<void> {
  await importArchive({
    archive: createReadStream(await ensureBaseArchive()),
    sink: clientSink(client, 'base/node'),
    tagsFor: () => ['latest'],
  })
  await append(client, { 'authority.crt': authority.certificate }, 'base/build', {
    command: ['node'],
    environment: { NODE_EXTRA_CA_CERTS: '/app/authority.crt' },
  })
}

/** Appends files to the base of applications and tags the result as the latest; its digest. */
async function append(
  client: RegistryClient,
  files: Readonly<Record<string, string>>,
  repository: string,
  settings: BuildOptions['settings'],
): Promise<string> {
  const spoolFolder = await mkdtemp(join(tmpdir(), 'slipway-append-'))
  const source = clientSource(client, 'base/node')
  try {
    const { digest } = await buildImage({
      archive: tarOf(files),
      layout: 'node',
      base: { kind: 'image', name: 'base/node:latest', reference: 'latest', source, isSameRegistry: true },
      settings,
      sink: clientSink(client, repository),
      tags: ['latest'],
      spoolFolder,
      clock: systemClock,
    })
    return digest
  } finally {
    await rm(spoolFolder, { recursive: true, force: true })
  }
}

/** Waits for something to come true. */
export function until(what: string, isThere: () => Promise<boolean>): Promise<unknown> {
  return waitFor(systemClock, what, async () => (await isThere()) || undefined, {
    timeoutMs: WAIT_MS,
    everyMs: 300,
  })
}
