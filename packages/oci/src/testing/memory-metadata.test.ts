import { memoryMetadata } from './memory-metadata.ts'
import { describeRegistryMetadata } from './metadata-contract.ts'

describeRegistryMetadata('in memory', async () => {
  const pinned = new Set<string>()
  return {
    metadata: memoryMetadata({ isPinned: (repository, digest) => pinned.has(`${repository}@${digest}`) }),
    pin: (repository, digest) => void pinned.add(`${repository}@${digest}`),
  }
})
