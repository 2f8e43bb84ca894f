import { join } from 'node:path'

import { DAY_MS, HOUR_MS, messageOf, MINUTE_MS } from '@slipway/kit'
import {
  collectGarbage,
  createRegistry,
  directSink,
  directSource,
  dropStaleUploads,
  folderBlobs,
  importArchive,
  ociErrors,
  parseImageConfig,
  parseManifest,
  s3Blobs,
  scrubBlobs,
  selectPlatform,
  type BlobStore,
  type ByteStream,
  type Digest,
  type ImageManifest,
  type ImageSink,
  type ImageSource,
  type RegistryEvent,
  type RegistryMetadata,
} from '@slipway/oci'

import { bucketOf } from '../../blob-settings.ts'
import type { Platform } from '../../context.ts'
import type { Reconciler } from '../../control/index.ts'
import { publicUrlOf } from '../../http/browser.ts'
import type { Db } from '../../tables.ts'
import type { Application } from '../app/index.ts'
import { appendEvent, INSTALLATION_CHAIN } from '../audit/index.ts'
import { actorOf, authenticate, authorize, registryKeys } from './login.ts'
import { databaseMetadata } from './metadata.ts'
import type { Image } from './model.ts'
import { templateOfConfig } from './plan.ts'
import * as queries from './queries/images.ts'
import * as rows from './queries/registry.ts'
import { applicationOfRepository, ensureRepository, isKept, type FindUses } from './service.ts'

/** The registry of this installation: its protocol, its repositories for builds in this process, its upkeep. */
export type BuiltInRegistry = Disposable & {
  readonly handle: (request: Request, caller: { readonly address: string }) => Promise<Response>
  readonly metadata: RegistryMetadata
  readonly blobs: BlobStore
  readonly sinkOf: (repository: string) => ImageSink
  readonly sourceOf: (repository: string) => ImageSource
  /**
   * Stores the one Image of an archive under a tag; it can be released like one that was pushed.
   * @throws {AppError} `image_archive_invalid` also when it holds several, and those of the archive's content
   */
  readonly importImage: (input: ArchiveInput) => Promise<void>
}

export type ArchiveInput = {
  readonly repository: string
  readonly tag: string
  readonly archive: ByteStream
  readonly createdBy: string
  readonly signal: AbortSignal
}

export type RegistryPorts = { readonly findUses: FindUses }

const KEYS_MS = MINUTE_MS
const CONFIG_MAX_BYTES = 4 * 1024 * 1024

/** Opens the folder of blobs and makes the first token key. */
export async function openRegistry(platform: Platform, ports: RegistryPorts): Promise<BuiltInRegistry> {
  const { clock, newId, database, settings, log } = platform
  const blobs = await openBlobs(platform)
  const { endpoint, bucket, prefix } = bucketOf(settings) ?? {}
  if (bucket !== undefined) log.info({ endpoint, bucket, prefix }, 'blobs of Images lie in a bucket')
  const metadata = databaseMetadata({
    database,
    ensureRepository: (db, name) => ensureRepository(db, name, clock.now()),
    isKept: (db, repository, digest) => isKept(db, ports.findUses, repository, digest),
  })
  const service = publicUrlOf(settings).host
  const keys = registryKeys(platform, service)
  await keys.renew()
  const renewing = clock.every(KEYS_MS, () => {
    keys
      .renew()
      .catch((thrown: unknown) => log.warn({ error: messageOf(thrown) }, 'reading the registry keys failed'))
  })
  const shared = { blobs, metadata, clock, newId }
  const answerTo = (address: string) =>
    createRegistry({
      ...shared,
      authenticate: (credentials) => authenticate(platform, credentials),
      authorize: (subject, repository) => authorize(platform, subject, repository),
      login: { realm: '/v2/token', service, tokens: keys.signer },
      onEvent: (event) => record(platform, { blobs, metadata }, event, address),
      onFailure: (error) => log.error({ err: error }, 'the registry failed'),
    })
  return {
    metadata,
    blobs,
    sinkOf: (repository) => directSink({ ...shared, repository }),
    sourceOf: (repository) => directSource({ ...shared, repository }),
    importImage: (input) => importImage(platform, shared, input),
    // The options are plain data, so a registry per request costs nothing and knows the caller's address.
    handle: (request, { address }) => answerTo(address)(request),
    [Symbol.dispose]: () => renewing[Symbol.dispose](),
  }
}

/** Blobs in the data folder, or in a bucket that is proven to be usable before anything is pushed. */
export async function openBlobs({
  settings,
  clock,
  random,
}: Pick<Platform, 'settings' | 'clock' | 'random'>): Promise<BlobStore> {
  const bucket = bucketOf(settings)
  if (bucket === undefined) return folderBlobs(join(settings.dataFolder, 'registry'))
  const blobs = s3Blobs({ bucket, clock, random })
  await blobs.check()
  return blobs
}

type Stores = { readonly blobs: BlobStore; readonly metadata: RegistryMetadata }

const audited: Readonly<Partial<Record<RegistryEvent['kind'], string>>> = {
  push: 'image.push',
  delete: 'image.delete',
  untag: 'image.untag',
}

/** Pushes and deletions go to the audit; a pushed Image is recorded, so that it can be released. */
async function record(
  platform: Platform,
  stores: Stores,
  event: RegistryEvent,
  address: string,
): Promise<void> {
  const action = audited[event.kind]
  if (action === undefined) return
  const actor = actorOf(event.subject)
  const pushed =
    event.kind === 'push' && event.digest !== undefined
      ? await describePushed(stores, event.repository, event.digest)
      : undefined
  await platform.database.transact('all', async (db) => {
    const application = await applicationOfRepository(db, event.repository)
    if (pushed && application && event.digest !== undefined) {
      const { repository, digest, at } = event
      await queries.putImage(
        db,
        imageOf(platform, application, pushed, { repository, digest, at, createdBy: actor.name }),
      )
    }
    await appendEvent(platform, db, {
      id: platform.newId('aud'),
      chain: application?.organizationId ?? INSTALLATION_CHAIN,
      at: event.at,
      actor: actor.id,
      actorName: actor.name,
      action,
      target: `repository:${event.repository}`,
      projectId: application?.projectId ?? null,
      outcome: 'success',
      code: null,
      requestId: platform.newId('req'),
      address,
      detail: { digest: event.digest ?? null, tags: event.tags },
    })
  })
}

type Arrived = {
  readonly repository: string
  readonly digest: Digest
  readonly at: Date
  readonly createdBy: string
}

/** The record of an Image that came from outside. */
function imageOf(
  platform: Platform,
  application: Application,
  described: Described,
  arrived: Arrived,
): Image {
  return {
    id: platform.newId('img'),
    organizationId: application.organizationId,
    projectId: application.projectId,
    applicationId: application.id,
    repository: arrived.repository,
    digest: arrived.digest,
    ...described,
    commit: null,
    buildId: null,
    createdBy: arrived.createdBy,
    createdAt: arrived.at,
  }
}

async function importImage(
  platform: Platform,
  stores: Stores & Pick<Platform, 'clock' | 'newId'>,
  { repository, tag, archive, createdBy, signal }: ArchiveInput,
): Promise<void> {
  const sink = directSink({ ...stores, repository })
  // Tagged only when it is known that there is one.
  const images = await importArchive({ archive, sink, signal, tagsFor: () => [] })
  const [image] = images
  if (image === undefined || images.length > 1)
    throw ociErrors.image_archive_invalid({
      reason: `it holds ${images.length} images instead of one`,
      entry: '',
    })
  const described = await describePushed(stores, repository, image.digest)
  if (!described)
    throw ociErrors.image_archive_invalid({ reason: 'it is no image for this kind of machine', entry: '' })
  const { bytes } = await directSource({ ...stores, repository }).getManifest(image.digest)
  await sink.putManifest({ reference: tag, mediaType: image.mediaType, bytes, signal })
  await platform.database.transact('all', async (db) => {
    const application = await applicationOfRepository(db, repository)
    const arrived = { repository, digest: image.digest, at: platform.clock.now(), createdBy }
    if (application) await queries.putImage(db, imageOf(platform, application, described, arrived))
  })
}

type Described = Pick<Image, 'template' | 'base' | 'sizeBytes'>

/** What a pushed manifest would run; undefined for what is no Image, such as a signature. */
async function describePushed(
  stores: Stores,
  repository: string,
  digest: Digest,
): Promise<Described | undefined> {
  const source = directSource({ ...stores, repository })
  try {
    const image = await imageManifestOf(source, digest)
    if (!image) return undefined
    const config = parseImageConfig(await source.readBlob(image.config, CONFIG_MAX_BYTES))
    const sizeBytes = image.layers.reduce((sum, layer) => sum + layer.size, image.config.size)
    const base = config.run.labels['org.opencontainers.image.base.name'] ?? ''
    return { template: templateOfConfig(config.run), base, sizeBytes }
  } catch {
    // Not a container image: it is stored all the same, and cannot be released.
    return undefined
  }
}

async function imageManifestOf(source: ImageSource, digest: Digest): Promise<ImageManifest | undefined> {
  const manifest = parseManifest((await source.getManifest(digest)).bytes)
  if (manifest.kind === 'image') return manifest.subject === undefined ? manifest : undefined
  const child = selectPlatform(manifest, { os: 'linux', architecture: process.arch })
  if (!child) return undefined
  const inner = parseManifest((await source.getManifest(child.digest)).bytes)
  return inner.kind === 'image' ? inner : undefined
}

const UPKEEP_MS = MINUTE_MS
const SWEEP_MS = 6 * HOUR_MS
/** Longer than any upload lives. */
const SWEEP_AGE_MS = 2 * DAY_MS
const SCRUB_BLOBS = 20
const SCRUB_BYTES_PER_SECOND = 20 * 1024 * 1024

/** Collects what nobody needs, forgets abandoned uploads, and reads the blobs again, a few at a time. */
export function registryUpkeep(registry: () => BuiltInRegistry): Reconciler {
  let scrubbedTo: Digest | undefined
  let sweptMs = -SWEEP_MS
  return {
    name: 'image-upkeep',
    keys: async () => ['all'],
    resyncMs: UPKEEP_MS,
    concurrency: 1,
    deadlineMs: 10 * MINUTE_MS,
    async reconcile(context) {
      const { clock, log, signal } = context
      const { blobs, metadata } = registry()
      const report = await collectGarbage({ blobs, metadata, clock, signal })
      for (const { item, error } of report.failures)
        log.warn({ item, error: messageOf(error) }, 'collecting an image part failed')
      await dropStaleUploads({ blobs, metadata, clock })
      if (clock.monotonicMs() - sweptMs >= SWEEP_MS) {
        await blobs.sweep(new Date(clock.now().getTime() - SWEEP_AGE_MS))
        sweptMs = clock.monotonicMs()
      }
      const scrub = await scrubBlobs({
        blobs,
        clock,
        after: scrubbedTo,
        limit: SCRUB_BLOBS,
        bytesPerSecond: SCRUB_BYTES_PER_SECOND,
        signal,
      })
      scrubbedTo = scrub.next
      for (const digest of scrub.damaged) {
        log.error({ digest }, 'a blob is damaged and was put into quarantine; push its image again')
        await context.transact((db: Db) => rows.markDamaged(db, digest, clock.now()))
      }
      return {}
    },
  }
}
