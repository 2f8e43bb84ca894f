import { expect } from 'vitest'

import { digestOf } from '../format/digest.ts'
import { mediaTypes } from '../format/media-types.ts'
import { testRegistry, type TestRegistry } from './world.ts'

/* Short ways to ask a test registry, without a socket. */
export const OWNER = `Basic ${btoa('owner:owner')}`
export const READER = `Basic ${btoa('reader:reader')}`
export const STRANGER = `Basic ${btoa('stranger:stranger')}`
export const CODES = new Set(
  'BLOB_UNKNOWN BLOB_UPLOAD_INVALID BLOB_UPLOAD_UNKNOWN DIGEST_INVALID MANIFEST_BLOB_UNKNOWN MANIFEST_INVALID MANIFEST_UNKNOWN NAME_INVALID NAME_UNKNOWN SIZE_INVALID UNAUTHORIZED DENIED UNSUPPORTED TOOMANYREQUESTS'.split(
    ' ',
  ),
)

type Ask = {
  readonly as?: string | undefined
  readonly headers?: Record<string, string>
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array>
}

/** Asks the registry without a socket. */
export async function ask(
  registry: TestRegistry,
  method: string,
  path: string,
  more: Ask = {},
): Promise<Response> {
  const authorization = 'as' in more ? more.as : OWNER
  const url = path.startsWith('http') ? path : `http://registry.test${path}`
  return await registry.handler(
    new Request(url, {
      method,
      headers: { ...more.headers, ...(authorization === undefined ? {} : { authorization }) },
      ...(more.body === undefined ? {} : { body: more.body as string, duplex: 'half' }),
    }),
  )
}

export async function codeOf(response: Response): Promise<string> {
  const body = (await response.json()) as { errors: [{ code: string }] }
  return body.errors[0].code
}

export async function startUpload(
  registry: TestRegistry,
  repository = 'team/app',
  query = '',
): Promise<string> {
  const response = await ask(registry, 'POST', `/v2/${repository}/blobs/uploads/${query}`)
  expect(response.status).toBe(202)
  return response.headers.get('location') ?? ''
}

export async function pushBlob(
  registry: TestRegistry,
  bytes: Uint8Array,
  repository = 'team/app',
  algorithm = 'sha256',
) {
  const digest = digestOf(bytes, algorithm === 'sha512' ? 'sha512' : 'sha256')
  const path = `/v2/${repository}/blobs/uploads/?digest=${digest}`
  const response = await ask(registry, 'POST', path, { body: bytes })
  expect(response.status).toBe(201)
  return digest
}

export function imageOf(config: Uint8Array, more: object = {}): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: digestOf(config), size: config.length },
    layers: [],
    ...more,
  })
}

export async function putManifest(
  registry: TestRegistry,
  reference: string,
  body: string,
  more: { type?: string; repository?: string; as?: string } = {},
): Promise<Response> {
  const path = `/v2/${more.repository ?? 'team/app'}/manifests/${reference}`
  return await ask(registry, 'PUT', path, {
    body,
    headers: { 'content-type': more.type ?? mediaTypes.manifest },
    ...(more.as === undefined ? {} : { as: more.as }),
  })
}

export const CONFIG = Buffer.from('{}')

export async function withImage(more: Parameters<typeof testRegistry>[0] = {}): Promise<TestRegistry> {
  const registry = await testRegistry(more)
  await pushBlob(registry, CONFIG)
  expect((await putManifest(registry, 'v1', imageOf(CONFIG))).status).toBe(201)
  return registry
}
