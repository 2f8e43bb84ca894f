import type { Commit, Source } from '@slipway/contract'

import type { Deps } from '../../deps.ts'
import { timeCell, type View } from '../../output/table.ts'

export function sourceView({ text }: Pick<Deps, 'text'>): View<Source> {
  return {
    columns: [
      { title: 'column.url', value: ({ url }) => url },
      { title: 'column.branch', value: ({ defaultBranch }) => defaultBranch ?? text('source.ownBranch') },
      { title: 'column.credentials', value: ({ credentials }) => credentials?.kind ?? '-' },
      { title: 'column.updated', value: ({ updatedAt }) => timeCell(updatedAt), wide: true },
    ],
    name: ({ url }) => url,
  }
}

type Ref = { readonly kind: string; readonly name: string; readonly commit: string }

export const refView: View<Ref> = {
  columns: [
    { title: 'column.type', value: ({ kind }) => kind },
    { title: 'column.name', value: ({ name }) => name },
    { title: 'column.commit', value: ({ commit }) => commit.slice(0, SHORT) },
  ],
  name: ({ name }) => name,
}

const SHORT = 12

export const commitView: View<Commit> = {
  columns: [
    { title: 'column.commit', value: ({ id }) => id.slice(0, SHORT) },
    { title: 'column.when', value: ({ authoredAt }) => timeCell(authoredAt) },
    { title: 'column.by', value: ({ author }) => author },
    { title: 'column.message', value: ({ subject }) => subject },
  ],
  name: ({ id }) => id,
}
