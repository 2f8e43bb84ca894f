import { assert, must, unreachable } from '@slipway/kit'
import type { Digest } from '@slipway/oci'

import type { Ctx } from '../../context.ts'
import { found } from '../../http/errors.ts'
import type { Db } from '../../tables.ts'
import { findApplicationBySlug, type Application } from '../app/index.ts'
import { findProjectBySlug } from '../tenancy/index.ts'
import { imageErrors } from './errors.ts'
import { BASE_PREFIX, referenceOf, type Image, type ImageUse } from './model.ts'
import { parseNamedImage } from './plan.ts'
import * as queries from './queries/images.ts'
import * as rows from './queries/registry.ts'

/** Who needs the Images of an Application. */
export type FindUses = (db: Db, applicationId: string) => Promise<readonly ImageUse[]>

const REVIEW_DELAY_MS = 24 * 3_600_000

/** The Application whose repository this is; undefined for bases and for what cannot be. */
export async function applicationOfRepository(db: Db, repository: string): Promise<Application | undefined> {
  const [projectSlug, slug, ...more] = repository.split('/')
  if (projectSlug === undefined || slug === undefined || more.length > 0) return undefined
  const project = await findProjectBySlug(db, projectSlug)
  return project && findApplicationBySlug(db, project.id, slug)
}

/** The repository's row; made when its Application is there, or when it is one of a base. */
export async function ensureRepository(
  db: Db,
  name: string,
  createdAt: Date,
): Promise<rows.Repository | undefined> {
  const application = await applicationOfRepository(db, name)
  if (!application && !name.startsWith(BASE_PREFIX)) return undefined
  await rows.insertRepository(db, {
    name,
    organizationId: application?.organizationId ?? '',
    projectId: application?.projectId ?? null,
    applicationId: application?.id ?? null,
    createdAt,
  })
  return rows.lockRepository(db, name)
}

/**
 * Finds an Image of an Application by digest, `repository@digest`, tag, `repository:tag`, build or image id.
 * @returns undefined when there is none, or when the repository named is another one
 */
export async function resolveImage(
  db: Db,
  applicationId: string,
  reference: string,
): Promise<{ readonly reference: string; readonly template: Image['template'] } | undefined> {
  const image = await findNamed(db, applicationId, reference)
  return image && { reference: referenceOf(image), template: image.template }
}

async function findNamed(db: Db, applicationId: string, reference: string): Promise<Image | undefined> {
  const named = parseNamedImage(reference)
  if (named === undefined) return undefined
  const isOwn = (image: Image | undefined): Image | undefined => {
    if (image?.applicationId !== applicationId) return undefined
    const repository = 'repository' in named ? named.repository : undefined
    return repository === undefined || repository === image.repository ? image : undefined
  }
  switch (named.kind) {
    case 'digest':
      return isOwn(await queries.findByDigest(db, applicationId, named.digest))
    case 'tag':
      return isOwn(await queries.findByTag(db, applicationId, named.tag))
    case 'build':
      return isOwn(await queries.findByBuild(db, applicationId, named.buildId))
    case 'image':
      return isOwn(await queries.findImage(db, named.imageId))
    default:
      return unreachable(named)
  }
}

/** Whether an Image runs or a kept Release needs it. */
export async function isKept(
  db: Db,
  findUses: FindUses,
  repository: string,
  digest: Digest,
): Promise<boolean> {
  const application = await applicationOfRepository(db, repository)
  if (!application) return false
  const reference = referenceOf({ repository, digest })
  return (await findUses(db, application.id)).some(({ image }) => image === reference)
}

/** Records what a build made, with its tag, in the transaction that ends the build. */
export async function recordBuiltImage(db: Db, image: Image, tags: readonly string[]): Promise<Image> {
  const repository = must(await rows.lockRepository(db, image.repository), 'the builder pushed to it')
  assert(await rows.findManifest(db, image.repository, image.digest), 'the builder pushed the manifest')
  for (const tag of tags) await rows.setTag(db, repository, tag, image.digest)
  const kept = await queries.putImage(db, image)
  if (kept.buildId !== image.buildId) await queries.adoptImage(db, kept.id, image)
  return { ...kept, template: image.template, commit: image.commit, buildId: image.buildId }
}

/** Deletes an Image with its tags; its content goes when nothing else needs it. @throws {AppError} `image_in_use` */
export async function deleteImage(ctx: Ctx, findUses: FindUses, id: string): Promise<void> {
  const image = found(await queries.findImage(ctx.db, id))
  await rows.lockRepository(ctx.db, image.repository)
  const users = (await findUses(ctx.db, image.applicationId)).filter(
    ({ image: used }) => used === referenceOf(image),
  )
  if (users.length > 0)
    throw imageErrors.image_in_use({ workloads: users.map(({ workload }) => workload).join(', ') })
  const reviewAfter = new Date(ctx.now.getTime() + REVIEW_DELAY_MS)
  await rows.deleteManifest(ctx.db, image.repository, image.digest, reviewAfter)
  ctx.note({ detail: { image: referenceOf(image) } })
}
