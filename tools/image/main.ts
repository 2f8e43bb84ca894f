/*
 * Makes Slipway's own Image:
 *   npm run image -- registry.example.com/platform/slipway:0.1.0    pushes it there
 *   npm run image -- ./slipway-image                                writes an OCI layout into a new folder
 *
 * --base <archive.tar> takes another base, which has node, git and ssh on its path; without it one is made of Debian's packages.
 * A login for the registry: SLIPWAY_REGISTRY_USER and SLIPWAY_REGISTRY_PASSWORD. An authority for it: NODE_EXTRA_CA_CERTS.
 */
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

import { messageOf, systemClock } from '@slipway/kit'
import { clientSink, clientSource, parseImageReference, registryClient } from '@slipway/oci'

import { ToolsUnavailable } from '../kubernetes/build.ts'
import { ensurePlatformBase } from './base.ts'
import { makeImage } from './image.ts'
import { openLayout } from './layout.ts'

const progress = (line: string): void => console.error(`image: ${line}`)

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { base: { type: 'string' }, 'plain-http': { type: 'boolean' } },
  })
  const [target, ...more] = positionals
  if (target === undefined || more.length > 0)
    throw new Error('say where: npm run image -- <registry/repository:tag | ./new-folder> [--base <archive>]')
  // npm runs scripts in the checkout and says in INIT_CWD where the person stood.
  const calledIn = process.env['INIT_CWD'] ?? process.cwd()
  const baseArchive =
    values.base === undefined ? await ensurePlatformBase(progress) : resolve(calledIn, values.base)
  const startedMs = systemClock.monotonicMs()
  const built = /^\.{0,2}\//u.test(target)
    ? await intoFolder(resolve(calledIn, target), baseArchive)
    : await intoRegistry(target, baseArchive, values['plain-http'] === true)
  const seconds = ((systemClock.monotonicMs() - startedMs) / 1_000).toFixed(1)
  progress(`${(built.sizeBytes / 1024 ** 2).toFixed(0)} MB in ${seconds} s`)
  console.log(built.digest)
}

async function intoFolder(folder: string, baseArchive: string): ReturnType<typeof makeImage> {
  // A folder with something in it is somebody's.
  await mkdir(folder)
  const { sink, source, finish } = await openLayout(folder)
  const built = await makeImage({ baseArchive, sink, source, tags: [] })
  await finish({ digest: built.digest, mediaType: built.mediaType, tag: 'slipway' })
  return built
}

function intoRegistry(target: string, baseArchive: string, isPlain: boolean): ReturnType<typeof makeImage> {
  const { registry, repository, tag } = parseImageReference(target)
  if (registry === undefined || tag === undefined)
    throw new Error(`${target} must name a registry, a repository and a tag`)
  const username = process.env['SLIPWAY_REGISTRY_USER']
  const password = process.env['SLIPWAY_REGISTRY_PASSWORD']
  const client = registryClient({
    baseUrl: `${isPlain ? 'http' : 'https'}://${registry}`,
    clock: systemClock,
    ...(username !== undefined && password !== undefined && { credentials: { username, password } }),
  })
  const [sink, source] = [clientSink(client, repository), clientSource(client, repository)]
  return makeImage({ baseArchive, sink, source, tags: [tag] })
}

try {
  await main()
} catch (error) {
  progress(messageOf(error))
  if (!(error instanceof ToolsUnavailable) && process.env['SLIPWAY_LOG_LEVEL'] === 'debug')
    console.error(error)
  process.exitCode = 1
}
