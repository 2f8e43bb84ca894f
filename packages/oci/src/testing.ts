export { describeRegistryMetadata, type MetadataUnderTest } from './testing/metadata-contract.ts'
export { memoryMetadata, type MemoryMetadataOptions } from './testing/memory-metadata.ts'
export { serveRegistry, type ServedRegistry } from './testing/serve.ts'
export { testServer, type TestServer } from './testing/world.ts'
