/*
 * A platform beside a cluster with nodes: it knows the cluster by its kubeconfig, answers the nodes over TLS, and has the bases
 * that applications and builds run on.
 */
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tls from 'node:tls'

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

import { makeAuthority } from '../../tools/kubernetes/certificates.ts'
import { type RealClusterWithNodes, startNodeCluster } from '../../tools/kubernetes/cluster.ts'
import type { Cli } from '../journey/cli.ts'
import { settleIn, WORKLOAD, type Developer } from '../journey/developer.ts'
import { makeHome, removeHome } from '../journey/product.ts'
import type { Entrance } from '../journey/visitors.ts'
import { ensureNodeBase } from '../../tools/image/base.ts'
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
  /** Where the platform answers, and who signed its certificate. */
  readonly platform: { readonly address: string; readonly port: number; readonly authority: string }
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
  const served = await certificateFor(cluster.hostAddress, home)
  const port = await freePort()
  const host = `${cluster.hostAddress}:${port}`
  const url = `https://${host}`
  const { firstRunToken } = cleanup.use(
    await testPlatform({
      host: cluster.hostAddress,
      port,
      publicUrl: url,
      tlsCertificateFile: served.certificateFile,
      tlsKeyFile: served.keyFile,
      authority: served.authority,
      // The cluster is at addresses that a platform for others does not dial by itself.
      outboundAllow: '127.0.0.0/8:*,10.0.0.0/8:*',
      localSourceRoots: home,
    }),
  )
  let client: RegistryClient | undefined
  const product = { url, firstRunToken, authority: served.authorityFile }
  const developer = await settleIn(product, home, async (cli) => {
    await cli.succeed(['cluster', 'register', 'real', '--kubeconfig', cluster.kubeconfigPath, '--default'])
    client = await clientFor(cli, url)
    await pushBases(client)
  })
  const registry = client
  if (!registry) throw new Error('settling in prepares nothing')
  const owned = cleanup.move()
  return {
    platform: { address: cluster.hostAddress, port, authority: served.authority },
    cluster,
    developer,
    home,
    trustRegistry: () => cluster.trustRegistry(host, served.authority),
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
    instances: () => instancesOf(developer),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Instances of the newest Release of a Workload that has any. */
export async function instancesOf({ cli, workload }: Developer): Promise<readonly Instance[]> {
  const all = (await cli.json('instance', 'list', workload)) as unknown as readonly Instance[]
  const newest = Math.max(...all.map(({ releaseNumber }) => releaseNumber ?? 0))
  return all.filter(({ releaseNumber }) => releaseNumber === newest)
}

type Served = {
  readonly certificateFile: string
  readonly keyFile: string
  readonly authorityFile: string
  /** PEM. */
  readonly authority: string
}

/** A certificate for an address, by an authority that this process trusts from now on. */
async function certificateFor(address: string, folder: string): Promise<Served> {
  const authority = makeAuthority('slipway-e2e-platform')
  const { certificate, key } = authority.issue([address])
  const at = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), authority.certificate])
  return {
    certificateFile: await at('server.crt', certificate),
    keyFile: await at('server.key', key),
    authorityFile: await at('authority.crt', authority.certificate),
    authority: authority.certificate,
  }
}

async function clientFor(cli: Cli, url: string): Promise<RegistryClient> {
  const secret = String((await cli.json('token', 'create', 'images'))['secret'])
  return registryClient({
    baseUrl: url,
    credentials: { username: 'operator', password: secret },
    clock: systemClock,
  })
}

/** The bases of applications and of builds. */
async function pushBases(client: RegistryClient): Promise<void> {
  await importArchive({
    archive: createReadStream(await ensureNodeBase()),
    sink: clientSink(client, 'base/node'),
    tagsFor: () => ['latest'],
  })
  await append(client, { README: 'What builds run on.\n' }, 'base/build', { command: ['node'] })
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
