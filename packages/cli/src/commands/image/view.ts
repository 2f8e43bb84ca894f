import type { BaseImage, Image } from '@slipway/contract'

import { timeCell, type View } from '../../output/table.ts'

const SHORT = 12
const MIB = 1024 * 1024

export const baseView: View<BaseImage> = {
  columns: [
    { title: 'column.name', value: ({ name }) => name },
    { title: 'column.digest', value: ({ digest }) => digest?.slice(0, 'sha256:'.length + SHORT) ?? '' },
    { title: 'column.hostOnly', value: ({ processRuntimeOnly }) => (processRuntimeOnly ? 'yes' : '') },
  ],
  name: ({ name }) => name,
}

export const imageView: View<Image> = {
  columns: [
    { title: 'column.tags', value: ({ tags }) => tags.join(', ') },
    { title: 'column.digest', value: ({ digest }) => digest.slice(0, 'sha256:'.length + SHORT) },
    { title: 'column.sizeMib', value: ({ sizeBytes }) => (sizeBytes / MIB).toFixed(1) },
    { title: 'column.commit', value: ({ commit }) => commit?.slice(0, SHORT) ?? '' },
    { title: 'column.base', value: ({ base }) => base, wide: true },
    { title: 'column.usedBy', value: ({ usedBy }) => usedBy.map(({ workload }) => workload).join(', ') },
    { title: 'column.id', value: ({ id }) => id },
    { title: 'column.created', value: ({ createdAt }) => timeCell(createdAt) },
    { title: 'column.address', value: ({ address }) => address, wide: true },
  ],
  name: ({ reference }) => reference,
}
