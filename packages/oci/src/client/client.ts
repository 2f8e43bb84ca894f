import { systemRandom, type AppError } from '@slipway/kit'

import { ociErrors } from '../errors.ts'
import type { Digest } from '../format/digest.ts'
import type { Descriptor } from '../format/manifest.ts'
import { readAll, type ByteStream } from '../streams.ts'
import { blobWriterOf, nextLocation, type BlobWriter } from './blob-writer.ts'
import { headBlob, openVerified } from './blobs.ts'
import { listReferrers, listTags, remove } from './lists.ts'
import { fetchManifest, putManifest, resolveManifest } from './manifests.ts'
import { checkReference, checkRepository, scopeOf } from './names.ts'
import { discard, transportOf, type RegistryClientOptions } from './transport.ts'

export type StoredManifest = {
  readonly digest: Digest
  readonly mediaType: string
  readonly bytes: Uint8Array
}

export type ResolvedManifest = {
  readonly digest: Digest
  readonly mediaType: string
  readonly sizeBytes: number | undefined
}

/**
 * A client of one registry. Safe to share between tasks; holds no connection that must be closed.
 * All methods throw {AppError} `registry_unreachable`, `registry_unauthorized`, `registry_refused` or `registry_reply_invalid`;
 * `get*` and `open*` throw `registry_content_missing` for what is not there, `find*` return undefined.
 */
export type RegistryClient = {
  /** `host:port` of the registry. */
  readonly host: string
  /** Checks address and login. */
  readonly ping: (signal?: AbortSignal) => Promise<void>
  /** What a tag or digest stands for now, without its bytes. */
  readonly resolveManifest: (
    repository: string,
    reference: string,
    signal?: AbortSignal,
  ) => Promise<ResolvedManifest | undefined>
  /** Bytes are checked against the digest. */
  readonly findManifest: (
    repository: string,
    reference: string,
    signal?: AbortSignal,
  ) => Promise<StoredManifest | undefined>
  readonly getManifest: (
    repository: string,
    reference: string,
    signal?: AbortSignal,
  ) => Promise<StoredManifest>
  /** `reference` is a tag or the digest of `bytes`. */
  readonly putManifest: (manifest: {
    readonly repository: string
    readonly reference: string
    readonly mediaType: string
    readonly bytes: Uint8Array
    readonly signal?: AbortSignal | undefined
  }) => Promise<Digest>
  /** Size in bytes, or undefined when the repository does not hold the blob. */
  readonly findBlobSize: (
    repository: string,
    digest: Digest,
    signal?: AbortSignal,
  ) => Promise<number | undefined>
  /** The blob as a stream that fails at its end unless digest and size fit; a broken transfer is resumed. */
  readonly openBlob: (
    repository: string,
    blob: { readonly digest: Digest; readonly size?: number | undefined },
    signal?: AbortSignal,
  ) => Promise<ByteStream>
  /** A small blob in memory. */
  readonly readBlob: (
    repository: string,
    blob: { readonly digest: Digest; readonly size?: number | undefined },
    sizeMaxBytes: number,
    signal?: AbortSignal,
  ) => Promise<Buffer>
  /** Begins an upload whose digest is told at its end. */
  readonly startBlob: (repository: string, signal?: AbortSignal) => Promise<BlobWriter>
  /** Sends a blob unless it is there already. Returns whether bytes were sent. */
  readonly pushBlob: (blob: {
    readonly repository: string
    readonly digest: Digest
    readonly open: () => Promise<ByteStream> | ByteStream
    readonly signal?: AbortSignal | undefined
  }) => Promise<boolean>
  /** Takes a blob over from another repository; false means it has to be uploaded. */
  readonly mountBlob: (blob: {
    readonly repository: string
    readonly from: string
    readonly digest: Digest
    readonly signal?: AbortSignal | undefined
  }) => Promise<boolean>
  /** One page of tags in byte order; `after` is exclusive. */
  readonly listTags: (
    repository: string,
    page?: {
      readonly after?: string | undefined
      readonly limit?: number | undefined
      readonly signal?: AbortSignal
    },
  ) => Promise<{ readonly tags: readonly string[]; readonly next: string | undefined }>
  /** Attachments of a digest (signatures, bills of materials …), at most 10,000. */
  readonly listReferrers: (
    repository: string,
    digest: Digest,
    filter?: { readonly artifactType?: string | undefined; readonly signal?: AbortSignal },
  ) => Promise<readonly Descriptor[]>
  /** Deletes a tag, or a manifest with all its tags. False when it was not there. */
  readonly deleteManifest: (repository: string, reference: string, signal?: AbortSignal) => Promise<boolean>
  readonly deleteBlob: (repository: string, digest: Digest, signal?: AbortSignal) => Promise<boolean>
}

const CHUNK_BYTES = 8 * 1024 * 1024

/** @throws {TypeError} when `baseUrl` is no address */
export function registryClient(options: RegistryClientOptions): RegistryClient {
  const transport = transportOf(options)
  const chunkBytes = options.chunkBytes ?? CHUNK_BYTES
  const random = options.random ?? systemRandom

  async function startUpload(
    repository: string,
    query: string,
    scopes: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const target = `/v2/${checkRepository(repository)}/blobs/uploads/${query}`
    return await transport.send({ method: 'POST', target, scopes, signal, body: new Uint8Array(0) })
  }

  function writerFor(response: Response, repository: string, signal: AbortSignal | undefined): BlobWriter {
    const location = nextLocation(response, '')
    if (location === '') throw transport.invalid('it names no upload address')
    return blobWriterOf({
      transport,
      location,
      chunkBytes,
      random,
      signal,
      scopes: [scopeOf(repository, 'pull,push')],
    })
  }

  async function startBlob(repository: string, signal?: AbortSignal): Promise<BlobWriter> {
    const response = await startUpload(repository, '', [scopeOf(repository, 'pull,push')], signal)
    if (response.status !== 202) throw await transport.errorFor(response, repository)
    await discard(response)
    return writerFor(response, repository, signal)
  }

  const findManifest = (repository: string, reference: string, signal?: AbortSignal) =>
    fetchManifest(transport, { repository, reference, signal })
  const findBlobSize = (repository: string, digest: Digest, signal?: AbortSignal) =>
    headBlob(transport, { repository, digest, signal })
  const openBlob: RegistryClient['openBlob'] = (repository, blob, signal) =>
    openVerified(transport, { repository, digest: blob.digest, size: blob.size, signal })

  return {
    host: transport.host,
    async ping(signal) {
      const response = await transport.send({ method: 'GET', target: '/v2/', scopes: [], signal })
      if (response.status !== 200) throw await transport.errorFor(response, '/v2/')
      await discard(response)
    },
    resolveManifest: (repository, reference, signal) =>
      resolveManifest(transport, { repository, reference, signal }),
    findManifest,
    async getManifest(repository, reference, signal) {
      const found = await findManifest(repository, reference, signal)
      if (found) return found
      throw ociErrors.registry_content_missing({
        registry: transport.host,
        what: `${repository}:${reference}`,
      })
    },
    putManifest: ({ repository, reference, mediaType, bytes, signal }) =>
      putManifest(transport, { repository, reference, signal }, { mediaType, bytes }),
    findBlobSize,
    openBlob,
    async readBlob(repository, blob, sizeMaxBytes, signal) {
      const tooLarge = (): AppError =>
        transport.invalid(`${blob.digest} is larger than ${sizeMaxBytes} bytes`)
      if (blob.size !== undefined && blob.size > sizeMaxBytes) throw tooLarge()
      return await readAll(await openBlob(repository, blob, signal), sizeMaxBytes, tooLarge)
    },
    startBlob,
    async pushBlob({ repository, digest, open, signal }) {
      if ((await findBlobSize(repository, digest, signal)) !== undefined) return false
      const writer = await startBlob(repository, signal)
      try {
        for await (const chunk of await open()) await writer.write(chunk)
        await writer.commit(digest)
      } catch (cause) {
        await writer.abort()
        throw cause
      }
      return true
    },
    async mountBlob({ repository, from, digest, signal }) {
      const query = `?mount=${digest}&from=${encodeURIComponent(checkRepository(from))}`
      const scopes = [scopeOf(repository, 'pull,push'), scopeOf(from, 'pull')]
      const response = await startUpload(repository, query, scopes, signal)
      if (response.status !== 201 && response.status !== 202) throw await transport.errorFor(response, digest)
      await discard(response)
      if (response.status === 201) return true
      await writerFor(response, repository, signal).abort()
      return false
    },
    listTags: (repository, page = {}) => listTags(transport, repository, page),
    listReferrers: (repository, digest, filter = {}) => listReferrers(transport, repository, digest, filter),
    deleteManifest: (repository, reference, signal) =>
      remove(
        transport,
        repository,
        `/v2/${checkRepository(repository)}/manifests/${checkReference(reference)}`,
        signal,
      ),
    deleteBlob: (repository, digest, signal) =>
      remove(transport, repository, `/v2/${checkRepository(repository)}/blobs/${digest}`, signal),
  }
}
