/** Gets Images ready to run: pull policy, pull secrets, cache, and whether this machine has what the Image's base stands for. */
import { access, constants, readFile, utimes } from 'node:fs/promises'
import path from 'node:path'

import { AppError, isRecord, messageOf, parseJson, serialQueue, systemCodeOf } from '@slipway/kit'
import { replaceFile } from '@slipway/kit/files'
import { fetchApplication, parseImageReference, registryClient, type ImageReference } from '@slipway/oci'

import type { ImageConfig } from './environment.ts'
import { imageCollector, type ImageLimits } from './image-collection.ts'
import { SetupError, type Base, type Container, type Pod } from './model.ts'

export type RunnableImage = {
  /** `registry/repository@sha256:…`, as container statuses show it. */
  readonly imageId: string
  readonly config: ImageConfig
  /** Holds what belongs below /app; shared, never written to. */
  readonly applicationFolder: string
}

type PullReports = {
  readonly pulling: () => void
  readonly pulled: (message: string) => void
}

export type Images = {
  /**
   * Until it is disposed of, the Image is not collected; by then the record of its container should name it.
   * @throws {SetupError} `ErrImagePull`, `ErrImageNeverPull`, `InvalidImageName`
   */
  readonly ensure: (
    pod: Pod,
    container: Container,
    reports: PullReports,
    signal: AbortSignal,
  ) => Promise<RunnableImage & Disposable>
  /** Removes Images that no container has when all of them take too much; the digests of what went. */
  readonly collect: () => Promise<readonly string[]>
}

type Credentials = { readonly username: string; readonly password: string }

const REFERENCES_MAX = 2_000
const LOOPBACK = /^(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]+)?$/
/** The command a declared host base stands for. */
const HOST_COMMANDS: Readonly<Record<string, string>> = {
  'host/node': 'node',
  'host/python': 'python3',
  'host/java': 'java',
}

export function createImages(
  base: Base,
  folder: string,
  options: {
    readonly ownRegistry: string | undefined
    readonly limits: ImageLimits
    /** Digests of the Images that containers have, running or not. */
    readonly inUse: () => ReadonlySet<string>
  },
): Images {
  const { ownRegistry, limits, inUse } = options
  const references = openReferences(path.join(folder, 'references.json'))
  const askedFor = new Map<string, number>()
  const held: string[] = []
  let underway = 0
  const collector = imageCollector({
    folder,
    limits,
    clock: base.clock,
    log: base.log,
    inUse: () => new Set([...inUse(), ...held]),
    askedForAtMs: (digest) => (underway > 0 ? undefined : (askedFor.get(digest) ?? 0)),
  })

  async function collect(): Promise<readonly string[]> {
    const gone = await collector.collect()
    for (const digest of gone) askedFor.delete(digest)
    if (gone.length > 0) await references.forget(new Set(gone))
    return gone
  }

  async function ensure(...call: Parameters<typeof getReady>): Promise<RunnableImage & Disposable> {
    underway += 1
    try {
      const image = await getReady(...call)
      const at = base.clock.now()
      const digest = image.imageId.slice(image.imageId.indexOf('@') + 1)
      askedFor.set(digest, at.getTime())
      // So that the next agent knows too.
      await utimes(image.applicationFolder, at, at)
      held.push(digest)
      return { ...image, [Symbol.dispose]: () => void held.splice(held.indexOf(digest), 1) }
    } finally {
      underway -= 1
    }
  }

  async function getReady(
    pod: Pod,
    container: Container,
    reports: PullReports,
    signal: AbortSignal,
  ): Promise<RunnableImage> {
    const name = container.image ?? ''
    const reference = parseName(name)
    const registry = reference.registry ?? ownRegistry
    if (registry === undefined)
      throw new SetupError(
        'InvalidImageName',
        `Image "${name}" names no registry and the cluster has none of its own`,
      )
    const policy = container.imagePullPolicy ?? 'IfNotPresent'
    const known = reference.digest ?? (await references.find(name))
    if (policy === 'Never' && known === undefined)
      throw new SetupError(
        'ErrImageNeverPull',
        `Container image "${name}" is not present with pull policy of Never`,
      )
    const cached = known === undefined || policy === 'Always' ? undefined : known
    const wanted =
      cached === undefined ? reference : parseName(`${registry}/${reference.repository}@${cached}`)
    if (cached === undefined) reports.pulling()
    const startedMs = base.clock.monotonicMs()
    const credentials = policy === 'Never' ? [] : credentialsFor(base, pod, registry)
    const fetched = await fetchWith({ base, folder, registry, reference: wanted, name, credentials, signal })
    await references.put(name, fetched.digest)
    const command = fetched.command
    if (command !== undefined)
      await requireCommand({ base, name, command, container, baseName: fetched.baseName })
    const tookMs = Math.round(base.clock.monotonicMs() - startedMs)
    reports.pulled(
      cached === undefined
        ? `Successfully pulled image "${name}" in ${tookMs}ms. Image size: ${fetched.sizeBytes} bytes.`
        : `Container image "${name}" already present on machine`,
    )
    return {
      imageId: `${registry}/${reference.repository}@${fetched.digest}`,
      config: fetched.config,
      applicationFolder: fetched.applicationFolder,
    }
  }

  return { ensure, collect }
}

function parseName(name: string): ImageReference {
  try {
    return parseImageReference(name)
  } catch (error) {
    throw new SetupError(
      'InvalidImageName',
      `Failed to apply default image tag "${name}": ${messageOf(error)}`,
      'InspectFailed',
    )
  }
}

type Fetched = {
  readonly digest: string
  readonly applicationFolder: string
  readonly config: ImageConfig
  readonly command: string | undefined
  readonly baseName: string | undefined
  readonly sizeBytes: number
}

/** Tries every fitting credential, then none, as kubelets do; the last refusal counts. */
async function fetchWith(options: {
  readonly base: Base
  readonly folder: string
  readonly registry: string
  readonly reference: ImageReference
  readonly name: string
  readonly credentials: readonly Credentials[]
  readonly signal: AbortSignal
}): Promise<Fetched> {
  const { base, folder, registry, reference, name, signal } = options
  let refusal: unknown
  for (const credentials of [...options.credentials, undefined]) {
    try {
      const client = registryClient({
        baseUrl: `${LOOPBACK.test(registry) ? 'http' : 'https'}://${registry}`,
        credentials,
        clock: base.clock,
      })
      const fetched = await fetchApplication({ client, reference, folder, signal })
      const { run } = fetched.config
      // The base's own entry point (an init such as tini) means nothing here; ours always begins with a bare command.
      const entrypoint =
        run.entrypoint[0]?.startsWith('/') && !run.entrypoint[0].startsWith('/app/') ? [] : run.entrypoint
      return {
        digest: fetched.digest,
        applicationFolder: fetched.applicationFolder,
        config: {
          environment: run.env,
          entrypoint,
          command: run.cmd,
          workingFolder: run.workingDir ?? '/app',
        },
        command: [...entrypoint, ...run.cmd][0],
        baseName: fetched.base.name,
        sizeBytes: fetched.manifest.layers.reduce((sum, layer) => sum + layer.size, 0),
      }
    } catch (error) {
      signal.throwIfAborted()
      if (refusal === undefined || !(error instanceof AppError) || error.code !== 'registry_unauthorized')
        refusal = error
      if (!(error instanceof AppError) || error.code !== 'registry_unauthorized') break
    }
  }
  throw new SetupError('ErrImagePull', `Failed to pull image "${name}": ${pullText(refusal)}`)
}

function pullText(error: unknown): string {
  if (!(error instanceof AppError)) return messageOf(error)
  const params = Object.entries(error.params).map(([key, value]) => `${key}: ${value}`)
  const detail = params.length === 0 ? '' : ` (${params.join(', ')})`
  switch (error.code) {
    case 'registry_unreachable':
      return `the registry cannot be reached${detail}`
    case 'registry_unauthorized':
      return `the registry refused the login; check imagePullSecrets${detail}`
    case 'registry_content_missing':
      return `not found${detail}`
    case 'image_base_invalid':
      return `the process runtime runs only Images that Slipway built, because it must know which layers are the application${detail}`
    default:
      return `${error.code}${detail}`
  }
}

/** Refuses an Image whose base stands for a program this machine lacks, before anything is started. */
async function requireCommand(options: {
  readonly base: Base
  readonly name: string
  readonly command: string
  readonly container: Container
  readonly baseName: string | undefined
}): Promise<void> {
  const { base, name, container, baseName } = options
  const command = HOST_COMMANDS[baseName ?? ''] ?? options.command
  if ((container.command ?? []).length > 0 && HOST_COMMANDS[baseName ?? ''] === undefined) return
  if (command.includes('/') || (await findCommand(command, base.hostPath)) !== undefined) return
  throw new SetupError(
    'ErrImagePull',
    `Failed to pull image "${name}": it is based on ${baseName ?? 'a base without a name'} and needs the command "${command}", which this machine does not have: install it, or run the Image on a cluster with containers`,
  )
}

/** Where a bare command lies on a PATH. */
export async function findCommand(command: string, searchPath: string): Promise<string | undefined> {
  for (const folder of searchPath.split(':')) {
    if (folder === '') continue
    const file = path.join(folder, command)
    const usable = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (usable) return file
  }
  return undefined
}

/** The pull secrets' credentials for one registry, in the order they are named in. */
function credentialsFor(base: Base, pod: Pod, registry: string): readonly Credentials[] {
  return (pod.spec?.imagePullSecrets ?? []).flatMap((reference) => {
    const secret = base.registry.get('secrets', pod.metadata.namespace, reference.name ?? '')
    const encoded = secret?.data?.['.dockerconfigjson']
    if (encoded === undefined) return []
    try {
      return credentialsIn(parseJson(Buffer.from(encoded, 'base64').toString('utf8')), registry)
    } catch (error) {
      base.log('warn', 'a pull secret cannot be read', { secret: reference.name, error: messageOf(error) })
      return []
    }
  })
}

/** Reads a docker configuration's `auths`; keys may carry a scheme or a path. */
export function credentialsIn(config: unknown, registry: string): readonly Credentials[] {
  const auths = isRecord(config) && isRecord(config['auths']) ? config['auths'] : {}
  return Object.entries(auths).flatMap(([key, entry]) => {
    const host = key.replace(/^https?:\/\//, '').split('/')[0]
    if (host !== registry || !isRecord(entry)) return []
    const { username, password, auth } = entry
    if (typeof username === 'string' && typeof password === 'string') return [{ username, password }]
    if (typeof auth !== 'string') return []
    const text = Buffer.from(auth, 'base64').toString('utf8')
    const colon = text.indexOf(':')
    return colon < 0 ? [] : [{ username: text.slice(0, colon), password: text.slice(colon + 1) }]
  })
}

type References = {
  readonly find: (name: string) => Promise<string | undefined>
  readonly put: (name: string, digest: string) => Promise<void>
  /** A name whose Image is gone is asked for at the registry again. */
  readonly forget: (digests: ReadonlySet<string>) => Promise<void>
}

/** What a tag meant when it was last pulled, for IfNotPresent and Never. */
function openReferences(file: string): References {
  const queue = serialQueue()
  let known: Map<string, string> | undefined

  async function load(): Promise<Map<string, string>> {
    try {
      const value = parseJson(await readFile(file, 'utf8'))
      const entries = isRecord(value) ? Object.entries(value) : []
      return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
    } catch (error) {
      if (systemCodeOf(error) === 'ENOENT' || error instanceof AppError) return new Map() // lost: the next pull asks the registry
      throw error
    }
  }

  async function save(names: ReadonlyMap<string, string>): Promise<void> {
    await replaceFile(file, JSON.stringify(Object.fromEntries(names)))
  }

  return {
    find: (name) => queue.run(async () => (known ??= await load()).get(name)),
    put: (name, digest) =>
      queue.run(async () => {
        known ??= await load()
        if (known.get(name) === digest) return
        known.set(name, digest)
        if (known.size > REFERENCES_MAX) known.delete(known.keys().next().value ?? '')
        await save(known)
      }),
    forget: (digests) =>
      queue.run(async () => {
        known ??= await load()
        for (const [name, digest] of known) if (digests.has(digest)) known.delete(name)
        await save(known)
      }),
  }
}
