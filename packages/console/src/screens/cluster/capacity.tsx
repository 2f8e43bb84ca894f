import { useEffect } from 'react'

import type { Cluster, VisibleInstance } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'

import { useRows } from '../../data/queries.ts'
import { useFormat } from '../../preferences/format.ts'
import { useText } from '../../preferences/text.ts'
import { Facts, Panel } from '../../ui/page.tsx'
import { Share } from '../../ui/share.tsx'

const EVERY_MS = 15 * SECOND_MS
const PAGE_ROWS = 200
/** Of more Instances than this the sum is not worth the pages it takes; then it says of how many it is. */
const SUMMED_MAX = 1_000

/** What the nodes have, and what the Instances that one may see ask for and use of it. */
export function Capacity({ cluster: { id, capacity } }: { readonly cluster: Cluster }) {
  const { text } = useText()
  return (
    <Panel title={text('cluster.capacity')}>
      {capacity === null ? (
        <p className="soft">{text('cluster.capacityUnknown')}</p>
      ) : (
        <Amounts cluster={id} has={capacity} />
      )}
    </Panel>
  )
}

type AmountsProps = { readonly cluster: string; readonly has: NonNullable<Cluster['capacity']> }

function Amounts({ cluster, has }: AmountsProps) {
  const { text } = useText()
  const format = useFormat()
  const instances = useInstances(cluster)
  const running = instances.rows ?? []
  const total = instances.total ?? running.length
  const isMeasured = running.some(({ use }) => use !== null)
  const parts = [
    ['cpuCores', text('instance.cpu'), format.cores],
    ['memoryBytes', text('instance.memory'), format.bytes],
  ] as const
  return (
    <Facts
      rows={[
        [text('cluster.nodes'), text('cluster.nodesReady', { ready: has.nodesReady, count: has.nodes })],
        [
          text('cluster.instances'),
          total > running.length
            ? text('cluster.summed', { count: format.number(running.length), total: format.number(total) })
            : text('node.places', {
                count: format.number(total),
                total: format.number(has.instancesMax),
              }),
        ],
        ...parts.flatMap(([part, what, shown]) => {
          const asked = text('node.asked', { what })
          const used = text('node.used', { what })
          const sum = sumOf(running, ({ resources }) => resources[part])
          const taken = sumOf(running, ({ use }) => use?.[part] ?? null)
          const rows = [
            [asked, <Share key={asked} label={asked} part={sum} whole={has[part]} shown={shown} />] as const,
          ]
          // Not every Cluster measures.
          if (isMeasured)
            rows.push([used, <Share key={used} label={used} part={taken} whole={has[part]} shown={shown} />])
          return rows
        }),
      ]}
    />
  )
}

function sumOf(rows: readonly VisibleInstance[], value: (row: VisibleInstance) => number | null): number {
  let sum = 0
  for (const row of rows) sum += value(row) ?? 0
  return sum
}

/** The Instances on a Cluster up to a number, page after page. */
function useInstances(cluster: string) {
  const result = useRows('searchInstances', { cluster, limit: PAGE_ROWS }, { everyMs: EVERY_MS })
  const { rows, hasNextPage, isFetchingNextPage, fetchNextPage } = result
  const count = rows?.length ?? 0
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && count < SUMMED_MAX) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, count, fetchNextPage])
  return result
}
