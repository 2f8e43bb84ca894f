import { z } from 'zod'

import { ApplicationId, WorkloadTemplate } from './app.ts'
import { idOf, Nothing, PageQuery, pageOf, Timestamp } from './common.ts'
import { endpoint, protocol, stream } from './endpoint.ts'

export const ImageId = idOf('img')

export const Image = z.strictObject({
  id: ImageId,
  applicationId: ApplicationId,
  /** `<project>/<application>@<digest>`: what a release takes. */
  reference: z.string(),
  /** The same with the registry's address, for other clients. */
  address: z.string(),
  digest: z.string(),
  tags: z.array(z.string()),
  /** Bytes a node without any layer has to pull. */
  sizeBytes: z.number().int(),
  /** Name of the base it stands on; empty when the Image does not say. */
  base: z.string(),
  /** Null for an Image that was pushed. */
  commit: z.string().nullable(),
  buildId: z.string().nullable(),
  /** What it runs. */
  template: WorkloadTemplate,
  /** Workloads that run it, or may return to it; such an Image cannot be deleted. */
  usedBy: z.array(z.strictObject({ workload: z.string(), serves: z.boolean() })),
  createdBy: z.string(),
  createdAt: Timestamp,
})
export type Image = z.infer<typeof Image>

export const BaseImage = z.strictObject({
  name: z.string(),
  digest: z.string().nullable(),
  /** Stands for what the host has installed; a Cluster with containers refuses it. */
  processRuntimeOnly: z.boolean(),
})
export type BaseImage = z.infer<typeof BaseImage>

const inImage = z.strictObject({ image: ImageId })

export const image = {
  listImages: endpoint({
    method: 'GET',
    path: '/v1/applications/:application/images',
    auth: 'account',
    permission: 'image:pull',
    scope: 'application',
    rate: 'read',
    summary: 'List the Images of an Application, newest first',
    params: z.strictObject({ application: ApplicationId }),
    query: PageQuery,
    status: 200,
    response: pageOf(Image),
  }),
  getImage: endpoint({
    method: 'GET',
    path: '/v1/images/:image',
    auth: 'account',
    permission: 'image:pull',
    scope: 'image',
    rate: 'read',
    summary: 'Read an Image: what it runs, where it comes from, who uses it',
    params: inImage,
    status: 200,
    response: Image,
  }),
  deleteImage: endpoint({
    method: 'DELETE',
    path: '/v1/images/:image',
    auth: 'account',
    permission: 'image:delete',
    scope: 'image',
    rate: 'write',
    audit: 'image.delete',
    summary: 'Delete an Image that no Workload runs or may return to; its tags go with it',
    params: inImage,
    status: 204,
    response: Nothing,
  }),
  listBaseImages: endpoint({
    method: 'GET',
    path: '/v1/base-images',
    auth: 'account',
    permission: 'self',
    rate: 'read',
    summary: 'List what Images may stand on',
    status: 200,
    response: z.strictObject({ items: z.array(BaseImage) }),
  }),
  importBaseImage: stream({
    transport: 'upload',
    method: 'PUT',
    path: '/v1/base-images/content',
    auth: 'account',
    permission: 'installation:update',
    scope: 'installation',
    rate: 'transfer',
    audit: 'base-image.import',
    summary: 'Bring in a base from an archive: the output of docker save, or an OCI layout as tar',
    query: z.strictObject({
      /** `base/<name>:<tag>` */
      name: z
        .string()
        .max(255)
        .regex(/^base\/[a-z0-9]+(?:[._-][a-z0-9]+)*:[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/u),
    }),
  }),
  importImage: stream({
    transport: 'upload',
    method: 'PUT',
    path: '/v1/applications/:application/images/content',
    auth: 'account',
    permission: 'image:push',
    scope: 'application',
    rate: 'transfer',
    audit: 'image.import',
    summary: 'Bring in an Image from an archive: the output of docker save, or an OCI layout as tar',
    params: z.strictObject({ application: ApplicationId }),
    query: z.strictObject({ tag: z.string().regex(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/u) }),
  }),
  registry: protocol({
    prefix: '/v2/',
    summary: 'The registry: OCI distribution specification, with Basic and Bearer login',
    operations: [
      { methods: ['GET'], pattern: '', permission: 'public', audit: undefined },
      { methods: ['GET'], pattern: 'token', permission: 'public', audit: undefined },
      { methods: ['GET'], pattern: '_catalog', permission: 'image:pull', audit: undefined },
      {
        methods: ['GET', 'HEAD'],
        pattern: '<name>/blobs/<digest>',
        permission: 'image:pull',
        audit: undefined,
      },
      {
        methods: ['GET', 'HEAD'],
        pattern: '<name>/manifests/<reference>',
        permission: 'image:pull',
        audit: undefined,
      },
      { methods: ['GET'], pattern: '<name>/tags/list', permission: 'image:pull', audit: undefined },
      { methods: ['GET'], pattern: '<name>/referrers/<digest>', permission: 'image:pull', audit: undefined },
      { methods: ['POST'], pattern: '<name>/blobs/uploads/', permission: 'image:push', audit: undefined },
      {
        methods: ['GET', 'PATCH', 'PUT', 'DELETE'],
        pattern: '<name>/blobs/uploads/<id>',
        permission: 'image:push',
        audit: undefined,
      },
      {
        methods: ['PUT'],
        pattern: '<name>/manifests/<reference>',
        permission: 'image:push',
        audit: 'image.push',
      },
      {
        methods: ['DELETE'],
        pattern: '<name>/manifests/<reference>',
        permission: 'image:delete',
        audit: 'image.delete',
      },
      { methods: ['DELETE'], pattern: '<name>/blobs/<digest>', permission: 'image:delete', audit: undefined },
    ],
  }),
} as const
