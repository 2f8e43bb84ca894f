import type { Release } from '@slipway/contract'

import { timeCell, type View } from '../../output/table.ts'

export const releaseView: View<Release> = {
  columns: [
    { title: 'column.sequence', value: ({ number }) => number },
    { title: 'column.state', value: ({ state, paused }) => (paused ? `${state} (paused)` : state) },
    { title: 'column.image', value: ({ image }) => shortImage(image) },
    { title: 'column.configRevision', value: ({ configRevision }) => configRevision },
    { title: 'column.batch', value: ({ batch, plan }) => `${batch + 1}/${plan.batches.length}`, wide: true },
    { title: 'column.weight', value: ({ weight }) => `${weight} %` },
    {
      title: 'column.counts',
      value: ({ counts }) =>
        `${counts.newReady}/${counts.newWanted} + ${counts.oldReady}/${counts.oldWanted}`,
    },
    { title: 'column.kept', value: ({ kept }) => kept, wide: true },
    { title: 'column.pinned', value: ({ pinned }) => pinned, wide: true },
    { title: 'column.by', value: ({ createdBy }) => createdBy, wide: true },
    { title: 'column.id', value: ({ id }) => id },
    { title: 'column.created', value: ({ createdAt }) => timeCell(createdAt) },
    { title: 'column.ended', value: ({ endedAt }) => timeCell(endedAt), wide: true },
  ],
  name: ({ id }) => id,
}

/** `shop/api@sha256:1a2b…`: enough to tell images apart. */
export function shortImage(image: string): string {
  return image.replace(/(@sha256:[0-9a-f]{12})[0-9a-f]+$/u, '$1')
}
