import type { Database } from '@slipway/db'
import { ociErrors, type Digest, type RegistryMetadata } from '@slipway/oci'

import type { Db, Tables } from '../../tables.ts'
import * as rows from './queries/registry.ts'
import * as uploads from './queries/uploads.ts'
import * as reviews from './queries/reviews.ts'

/** What the registry's rows need of other modules. */
export type MetadataPorts = {
  readonly database: Database<Tables>
  /** The repository's row, made when the repository may exist and has none yet. */
  readonly ensureRepository: (db: Db, name: string) => Promise<rows.Repository | undefined>
  /** Whether an Image runs or a Release that may be returned to needs it. */
  readonly isKept: (db: Db, repository: string, digest: Digest) => Promise<boolean>
}

/**
 * The registry's metadata on PostgreSQL. Rights are the registry's own question, asked of `access.ts` for every request, so
 * its rows are read with the scope of the whole installation.
 */
export function databaseMetadata(ports: MetadataPorts): RegistryMetadata {
  return {
    ...repositoryMethods(ports),
    ...blobMethods(ports),
    ...uploadMethods(ports),
    ...manifestMethods(ports),
    ...reviewMethods(ports),
  }
}

function reader({ database }: MetadataPorts) {
  return <T>(run: (db: Db) => Promise<T>): Promise<T> => database.transact('all', run, { readOnly: true })
}

function writer({ database }: MetadataPorts) {
  return <T>(run: (db: Db) => Promise<T>): Promise<T> => database.transact('all', run)
}

async function lockedRepository(db: Db, ports: MetadataPorts, name: string): Promise<rows.Repository> {
  const known = (await rows.lockRepository(db, name)) ?? (await ports.ensureRepository(db, name))
  if (!known) throw ociErrors.registry_content_missing({ registry: 'built in', what: name })
  return known
}

function repositoryMethods(
  ports: MetadataPorts,
): Pick<RegistryMetadata, 'hasRepository' | 'listRepositories'> {
  const read = reader(ports)
  return {
    hasRepository: (name) => read(async (db) => (await rows.findRepository(db, name)) !== undefined),
    listRepositories: ({ after, limit }) => read((db) => rows.listRepositories(db, after, limit)),
  }
}

type BlobMethods =
  | 'findBlob'
  | 'announceBlob'
  | 'linkBlob'
  | 'mountBlob'
  | 'listBlobRepositories'
  | 'unlinkBlob'
  | 'finishRemoval'

function blobMethods(ports: MetadataPorts): Pick<RegistryMetadata, BlobMethods> {
  const [read, write] = [reader(ports), writer(ports)]
  return {
    findBlob: ({ repository, digest, reviewAfter }) =>
      reviewAfter === undefined
        ? read((db) => rows.findLiveBlob(db, repository, digest))
        : write(async (db) => {
            // First the queue, then the link: a collector that holds the entry is waited for, and its outcome is seen.
            await rows.postponeReview(db, rows.reviewKey({ kind: 'link', repository, digest }), reviewAfter)
            return rows.findLiveBlob(db, repository, digest)
          }),
    announceBlob: ({ digest, now, until }) => write((db) => rows.announceBlob(db, digest, now, until)),
    linkBlob: ({ repository, digest, sizeBytes, reviewAfter }) =>
      write(async (db) => {
        const place = await lockedRepository(db, ports, repository)
        await rows.makeBlobLive(db, digest, sizeBytes)
        await rows.linkBlob(db, place, digest, reviewAfter)
      }),
    mountBlob: ({ repository, from, digest, reviewAfter }) =>
      write(async (db) => {
        const place = await lockedRepository(db, ports, repository)
        await rows.lockBlob(db, digest)
        const sizeBytes = await rows.findLiveBlob(db, from, digest)
        if (sizeBytes !== undefined) await rows.linkBlob(db, place, digest, reviewAfter)
        return sizeBytes
      }),
    listBlobRepositories: (digest, limit) => read((db) => rows.repositoriesOfBlob(db, digest, limit)),
    unlinkBlob: ({ repository, digest, reviewAfter }) =>
      write(async (db) => {
        await rows.lockRepository(db, repository)
        if ((await rows.findLiveBlob(db, repository, digest)) === undefined) return 'absent'
        if (await rows.isReferenced(db, repository, digest)) return 'inUse'
        await rows.deleteLink(db, repository, digest, reviewAfter)
        return 'unlinked'
      }),
    finishRemoval: (digest) => write((db) => reviews.finishRemoval(db, digest)),
  }
}

type UploadMethods =
  | 'createUpload'
  | 'findUpload'
  | 'claimUpload'
  | 'renewUpload'
  | 'releaseUpload'
  | 'deleteUpload'
  | 'listStaleUploads'

function uploadMethods(ports: MetadataPorts): Pick<RegistryMetadata, UploadMethods> {
  const [read, write] = [reader(ports), writer(ports)]
  return {
    createUpload: (upload) =>
      write(async (db) =>
        uploads.insertUpload(db, await lockedRepository(db, ports, upload.repository), upload),
      ),
    findUpload: (repository, id) => read((db) => uploads.findUpload(db, repository, id)),
    claimUpload: (claim) => write((db) => uploads.claimUpload(db, claim)),
    renewUpload: ({ id, claim, until }) => write((db) => uploads.renewUpload(db, id, claim, until)),
    releaseUpload: ({ id, claim, sizeBytes }) =>
      write((db) => uploads.releaseUpload(db, id, claim, sizeBytes)),
    deleteUpload: (repository, id) => write((db) => uploads.deleteUpload(db, repository, id)),
    listStaleUploads: ({ before, now, limit }) => read((db) => uploads.staleUploads(db, before, now, limit)),
  }
}

type ManifestMethods =
  | 'findManifest'
  | 'findTag'
  | 'putManifest'
  | 'deleteTag'
  | 'deleteManifest'
  | 'listTags'
  | 'listReferrers'

function manifestMethods(ports: MetadataPorts): Pick<RegistryMetadata, ManifestMethods> {
  const [read, write] = [reader(ports), writer(ports)]
  return {
    findManifest: (repository, digest) => read((db) => rows.findManifest(db, repository, digest)),
    findTag: (repository, tag) => read((db) => rows.findTag(db, repository, tag)),
    putManifest: (manifest, change) =>
      write(async (db) => {
        const place = await lockedRepository(db, ports, manifest.repository)
        return rows.putManifest(db, place, manifest, change)
      }),
    deleteTag: ({ repository, tag, reviewAfter }) =>
      write(async (db) => {
        await rows.lockRepository(db, repository)
        const digest = await rows.findTag(db, repository, tag)
        if (digest === undefined) return 'absent'
        await rows.deleteTag(db, repository, tag)
        await rows.queueReview(db, { kind: 'manifest', repository, digest }, reviewAfter)
        return 'deleted'
      }),
    deleteManifest: ({ repository, digest, reviewAfter }) =>
      write(async (db) => {
        await rows.lockRepository(db, repository)
        if ((await rows.findManifest(db, repository, digest)) === undefined) return 'absent'
        if (await ports.isKept(db, repository, digest)) return 'protected'
        await rows.deleteManifest(db, repository, digest, reviewAfter)
        return 'deleted'
      }),
    listTags: ({ repository, after, limit }) => read((db) => rows.listTags(db, repository, after, limit)),
    listReferrers: (page) => read((db) => rows.listReferrers(db, page)),
  }
}

type ReviewMethods = 'leaseReviews' | 'settleReview' | 'oldestReview'

function reviewMethods(ports: MetadataPorts): Pick<RegistryMetadata, ReviewMethods> {
  const [read, write] = [reader(ports), writer(ports)]
  return {
    leaseReviews: ({ now, leaseUntil, limit }) =>
      write((db) => reviews.leaseReviews(db, now, leaseUntil, limit)),
    settleReview: (item, decide) =>
      write(async (db) => {
        // Locks in the order in which writers take them.
        if (item.kind === 'blob') await rows.lockBlob(db, item.digest)
        else await rows.lockRepository(db, item.repository)
        const reviewAfter = await reviews.takeReview(db, item)
        if (reviewAfter === undefined) return { kind: 'keep', why: 'another worker settled it' }
        const isPinned = (repository: string, digest: Digest): Promise<boolean> =>
          ports.isKept(db, repository, digest)
        const decision = decide(await reviews.readFacts(db, item, reviewAfter, isPinned))
        await reviews.applyDecision(db, item, decision)
        return decision
      }),
    oldestReview: () => read((db) => reviews.oldestReview(db)),
  }
}
