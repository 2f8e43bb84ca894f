import type { Build, BuildCache, BuildSummary } from '@slipway/contract'

import { timeCell, type View } from '../../output/table.ts'
import { shortImage } from '../release/view.ts'

const SHORT = 12
const MIB = 1024 * 1024

export const cacheView: View<BuildCache> = {
  columns: [
    { title: 'column.sizeMib', value: ({ sizeBytes }) => (sizeBytes / MIB).toFixed(1) },
    { title: 'column.maxMib', value: ({ maxBytes }) => (maxBytes / MIB).toFixed(1) },
    { title: 'column.updated', value: ({ updatedAt }) => timeCell(updatedAt) },
  ],
  name: ({ sizeBytes }) => String(sizeBytes),
}

export const buildView: View<Build | BuildSummary> = {
  columns: [
    { title: 'column.sequence', value: ({ number }) => number },
    { title: 'column.state', value: ({ state }) => state },
    { title: 'column.ref', value: ({ ref }) => (ref.length > 40 ? ref.slice(0, SHORT) : ref) },
    { title: 'column.commit', value: ({ commit }) => commit.slice(0, SHORT) },
    { title: 'column.image', value: ({ image }) => shortImage(image ?? '') },
    { title: 'column.reason', value: ({ reason }) => reason?.code ?? '' },
    { title: 'column.isolation', value: ({ isolation }) => isolation ?? '', wide: true },
    { title: 'column.by', value: ({ createdBy }) => createdBy, wide: true },
    { title: 'column.id', value: ({ id }) => id },
    { title: 'column.created', value: ({ createdAt }) => timeCell(createdAt) },
    { title: 'column.ended', value: ({ endedAt }) => timeCell(endedAt), wide: true },
  ],
  name: ({ id }) => id,
}
