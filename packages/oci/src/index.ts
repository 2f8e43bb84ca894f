export { ociErrors } from './errors.ts'
export {
  algorithmOf,
  digestOf,
  hexOf,
  isDigest,
  parseDigest,
  type Digest,
  type DigestAlgorithm,
} from './format/digest.ts'
export {
  formatImageReference,
  isRepositoryName,
  isTag,
  parseImageReference,
  type ImageReference,
} from './format/names.ts'
export { BASE_DIGEST_KEY, BASE_LAYERS_KEY, BASE_NAME_KEY, mediaTypes } from './format/media-types.ts'
export {
  parseManifest,
  type Annotations,
  type Descriptor,
  type ImageIndex,
  type ImageManifest,
  type Manifest,
  type Platform,
} from './format/manifest.ts'
export { parseImageConfig, type ImageConfig, type RunConfig } from './format/config.ts'
export { selectPlatform } from './format/platform.ts'
export type { ByteStream } from './streams.ts'
export type { RegistryCredentials } from './client/authorization.ts'
export type { BlobWriter } from './client/blob-writer.ts'
export {
  registryClient,
  type RegistryClient,
  type ResolvedManifest,
  type StoredManifest,
} from './client/client.ts'
export type { RegistryClientOptions } from './client/transport.ts'
export { appendedLayers, recordedBaseOf, type AppendedLayer, type RecordedBase } from './unpack/appended.ts'
export {
  unpackLayers,
  UNPACK_LIMITS,
  type LayerToUnpack,
  type Unpacked,
  type UnpackLimits,
} from './unpack/unpack.ts'
export {
  clearUnfinished,
  dropCachedApplication,
  dropUnusedBlobs,
  listCachedApplications,
  type CachedApplication,
} from './unpack/cache.ts'
export { fetchApplication, type FetchedApplication } from './unpack/fetch.ts'
export { createRegistry } from './registry/registry.ts'
export { nodeListener } from './registry/node-listener.ts'
export type { RegistryLimits, RegistryOptions } from './registry/context.ts'
export { folderBlobs } from './registry/folder-blobs.ts'
export { s3Blobs } from './s3/blobs.ts'
export type { S3Bucket } from './s3/client.ts'
export { collectGarbage, dropStaleUploads, type CollectReport } from './registry/collect.ts'
export { scrubBlobs, type ScrubReport } from './registry/scrub.ts'
export {
  planReview,
  type ReviewDecision,
  type ReviewFacts,
  type ReviewItem,
  type ReviewPolicy,
} from './registry/review-plan.ts'
export {
  newTokenKey,
  tokenSigner,
  type TokenKey,
  type TokenSigner,
  type TokenSignerOptions,
} from './registry/token.ts'
export type {
  BlobRange,
  BlobStore,
  ManifestRecord,
  PutOutcome,
  RegistryAction,
  RegistryEvent,
  RegistryMetadata,
  RegistrySubject,
  Upload,
  UploadClaim,
} from './registry/ports.ts'
export {
  buildImage,
  type BuildOptions,
  type BuiltImage,
  type BuiltLayer,
  type ConfigurationFile,
} from './builder/build.ts'
export { declaredBases, type BaseChoice, type DeclaredBase } from './builder/base.ts'
export { churnGroupOf, type ChurnGroup, type PackageLayout } from './builder/churn.ts'
export type { ImageSettings } from './builder/image-config.ts'
export type { LayerFormat, WrittenLayer } from './builder/layer.ts'
export { PACKAGE_LIMITS, type PackageLimits } from './builder/package-reader.ts'
export type { ImageSink, ImageSource, LayerCache } from './builder/ports.ts'
export { clientSink, clientSource } from './builder/remote.ts'
export { directSink, directSource, type DirectOptions } from './builder/direct.ts'
export {
  importArchive,
  IMPORT_LIMITS,
  type ImportedImage,
  type ImportLimits,
  type ImportOptions,
} from './builder/import-archive.ts'
