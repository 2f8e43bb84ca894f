import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'

import type { Clock } from '@slipway/kit'
import { buildImage, type BaseChoice } from '@slipway/oci'

import type { BuiltInRegistry } from '../image/index.ts'
import { tarOfFile } from './tar.ts'

/** The Image that builds run in: a base with one program of ours. `base/build` is for Clusters with containers. */
const REPOSITORY = 'base/slipway-build'
export const BUILD_BASE = 'base/build'
const BASE_TAG = 'latest'

/**
 * Name of the Image for builds, made when this version's is not in the registry yet.
 * @returns undefined when the Cluster needs a base that nobody has pushed to `base/build`
 */
export async function builderImage(
  registry: BuiltInRegistry,
  processRuntime: boolean,
  options: { readonly spoolFolder: string; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<string | undefined> {
  // As it was compiled, or as it stands in the sources: Node runs both.
  const name = import.meta.url.endsWith('.ts') ? 'job.ts' : 'job.js'
  const program = await readFile(new URL(name, import.meta.url))
  const base = processRuntime ? undefined : await registry.metadata.findTag(BUILD_BASE, BASE_TAG)
  if (!processRuntime && base === undefined) return undefined
  const hash = createHash('sha256')
    .update(program)
    .update(base ?? '')
    .digest('hex')
    .slice(0, 16)
  const tag = `${processRuntime ? 'host' : 'base'}-${hash}`
  const known = await registry.metadata.findTag(REPOSITORY, tag)
  if (known !== undefined) return `${REPOSITORY}@${known}`
  await mkdir(options.spoolFolder, { recursive: true, mode: 0o700 })
  const choice: BaseChoice =
    base === undefined
      ? { kind: 'declared', name: 'host/node' }
      : {
          kind: 'image',
          name: `${BUILD_BASE}:${BASE_TAG}`,
          reference: base,
          source: registry.sourceOf(BUILD_BASE),
          isSameRegistry: true,
        }
  const built = await buildImage({
    archive: Readable.from([tarOfFile(name, program)]),
    layout: 'node',
    base: choice,
    settings: { command: ['node', name] },
    sink: registry.sinkOf(REPOSITORY),
    tags: [tag],
    ...options,
  })
  return `${REPOSITORY}@${built.digest}`
}
