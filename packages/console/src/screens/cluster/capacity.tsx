import { useEffect } from 'react'

import type { Cluster } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'

import { useRows } from '../../data/queries.ts'
import { useAmounts } from '../../objects/amounts.tsx'
import { useFormat } from '../../preferences/format.ts'
import { useText } from '../../preferences/text.ts'
import { Facts, Panel } from '../../ui/page.tsx'

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
  const requested = sumOf(running.map(({ resources }) => resources))
  const used = sumOf(running.map(({ use }) => use))
  const amounts = useAmounts({ capacity: has, requested, use: isMeasured ? used : null })
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
        ...amounts,
      ]}
    />
  )
}

type Amount = { readonly cpuCores: number | null; readonly memoryBytes: number | null }

function sumOf(amounts: readonly (Amount | null)[]) {
  const sum = { cpuCores: 0, memoryBytes: 0 }
  for (const amount of amounts) {
    sum.cpuCores += amount?.cpuCores ?? 0
    sum.memoryBytes += amount?.memoryBytes ?? 0
  }
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
