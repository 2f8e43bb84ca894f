export { describeRegistryMetadata } from './testing/metadata-contract.ts'
export { memoryMetadata, type MemoryMetadataOptions } from './testing/memory-metadata.ts'
export { serveRegistry, type ServedRegistry } from './testing/serve.ts'
