import type * as views from '@slipway/contract'
import { contract } from '@slipway/contract'
import { must, pageOf } from '@slipway/kit'
import { declaredBases } from '@slipway/oci'

import { found } from '../../http/errors.ts'
import type { Routes } from '../../http/index.ts'
import type { Db } from '../../tables.ts'
import { findApplication } from '../app/index.ts'
import { findProject } from '../tenancy/index.ts'
import { referenceOf, type Image, type ImageUse } from './model.ts'
import * as queries from './queries/images.ts'
import type { BuiltInRegistry } from './registry.ts'
import * as service from './service.ts'

export type ImagePorts = {
  readonly findUses: service.FindUses
  readonly registry: () => BuiltInRegistry
  /** Address of a repository for clients. */
  readonly imageAddress: (image: string) => string
}

export function imageRoutes(routes: Routes, ports: ImagePorts): void {
  routes.on(contract.listImages, async ({ params, query }, ctx) => {
    const images = await queries.listImages(ctx.db, params.application, query)
    const view = await viewer(ctx.db, ports, images)
    return pageOf(images, query.limit, view, ({ id }) => [id])
  })
  routes.on(contract.getImage, async ({ params }, ctx) => {
    const image = found(await queries.findImage(ctx.db, params.image))
    return (await viewer(ctx.db, ports, [image]))(image)
  })
  routes.on(contract.deleteImage, async ({ params }, ctx) =>
    service.deleteImage(ctx, ports.findUses, params.image),
  )
  // Bases belong to the installation and everybody may build on them, so they are read from outside the caller's scope.
  routes.onOutside(contract.listBaseImages, async (_, ctx) => {
    const pushed = await ctx.database.transact('all', (db) => queries.listBases(db), { readOnly: true })
    return {
      items: [
        ...declaredBases.map((name) => ({ name, digest: null, processRuntimeOnly: true })),
        ...pushed.map(({ repository, tag, digest }) => ({
          name: `${repository}:${tag}`,
          digest,
          processRuntimeOnly: false,
        })),
      ],
    }
  })
  routes.onStream(contract.importBaseImage, async ({ input, ctx, upload }) => {
    const { name } = input.query
    const at = name.lastIndexOf(':')
    await ports.registry().importImage({
      repository: name.slice(0, at),
      tag: name.slice(at + 1),
      archive: upload,
      createdBy: ctx.account.name,
      signal: ctx.signal,
    })
  })
  routes.onStream(contract.importImage, async ({ input, ctx, upload }) => {
    const repository = await ctx.read((db) => repositoryOf(db, input.params.application))
    await ports.registry().importImage({
      repository,
      tag: input.query.tag,
      archive: upload,
      createdBy: ctx.account.name,
      signal: ctx.signal,
    })
  })
  routes.onProtocol(contract.registry, (request, caller) => ports.registry().handle(request, caller))
}

async function repositoryOf(db: Db, applicationId: string): Promise<string> {
  const application = found(await findApplication(db, applicationId))
  const project = found(await findProject(db, application.projectId))
  return `${project.slug}/${application.slug}`
}

/** Makes views of a page of Images of one Application. */
async function viewer(
  db: Db,
  ports: ImagePorts,
  images: readonly Image[],
): Promise<(image: Image) => views.Image> {
  const [first] = images
  const uses: readonly ImageUse[] = first ? await ports.findUses(db, first.applicationId) : []
  const tags = first
    ? await queries.tagsOf(
        db,
        first.repository,
        images.map(({ digest }) => digest),
      )
    : new Map<string, readonly string[]>()
  return (image) => {
    const users = uses.filter((use) => use.image === referenceOf(image))
    return {
      id: image.id,
      applicationId: image.applicationId,
      reference: referenceOf(image),
      address: ports.imageAddress(referenceOf(image)),
      digest: must(image.digest, 'an image has a digest'),
      tags: [...(tags.get(image.digest) ?? [])],
      sizeBytes: image.sizeBytes,
      base: image.base,
      commit: image.commit,
      buildId: image.buildId,
      template: image.template,
      usedBy: users.map(({ workload, serves }) => ({ workload, serves })),
      createdBy: image.createdBy,
      createdAt: image.createdAt.toISOString(),
    }
  }
}
