import { useEffect } from 'react'

import type { Cluster } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'

import { useRows } from '../../data/queries.ts'
import { useFormat } from '../../preferences/format.ts'
import { useText } from '../../preferences/text.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { Facts, Panel } from '../../ui/page.tsx'
import { shareOf, sumOf } from './sums.ts'

const EVERY_MS = 15 * SECOND_MS
const PAGE_ROWS = 200
/** Of more Instances than this the sum is not worth the pages it takes; then it says of how many it is. */
const SUMMED_MAX = 1_000

/** What the nodes have, and what the Instances ask for of it. */
export function Capacity({ cluster }: { readonly cluster: Cluster }) {
  const { text } = useText()
  const format = useFormat()
  const nodes = useAllRows('listNodes', { cluster: cluster.id })
  const instances = useAllRows('searchInstances', { cluster: cluster.id })
  return (
    <Panel title={text('cluster.capacity')}>
      <Loaded of={{ ...nodes, data: nodes.rows }}>
        {(rows) => {
          const has = {
            cpuCores: sumOf(rows, (node) => node.cpuCores),
            memoryBytes: sumOf(rows, (node) => node.memoryBytes),
          }
          const ready = rows.filter((node) => node.ready).length
          const running = instances.rows ?? []
          const asked = {
            cpuCores: sumOf(running, ({ resources }) => resources.cpuCores ?? 0),
            memoryBytes: sumOf(running, ({ resources }) => resources.memoryBytes ?? 0),
          }
          const total = instances.total ?? running.length
          return (
            <Facts
              rows={[
                [text('cluster.nodes'), text('cluster.nodesReady', { ready, count: rows.length })],
                [
                  text('cluster.instances'),
                  total > running.length
                    ? text('cluster.summed', {
                        count: format.number(running.length),
                        total: format.number(total),
                      })
                    : format.number(total),
                ],
                [
                  text('instance.cpu'),
                  <Share
                    key="cpu"
                    label={text('instance.cpu')}
                    used={asked.cpuCores}
                    total={has.cpuCores}
                    shown={format.cores}
                  />,
                ],
                [
                  text('instance.memory'),
                  <Share
                    key="memory"
                    label={text('instance.memory')}
                    used={asked.memoryBytes}
                    total={has.memoryBytes}
                    shown={format.bytes}
                  />,
                ],
              ]}
            />
          )
        }}
      </Loaded>
    </Panel>
  )
}

type ShareProps = {
  readonly label: string
  readonly used: number
  readonly total: number
  readonly shown: (value: number) => string
}

function Share({ label, used, total, shown }: ShareProps) {
  const { text } = useText()
  const percent = shareOf(used, total)
  return (
    <span className="share">
      <meter aria-label={`${text('cluster.asked')}: ${label}`} min={0} max={100} high={80} value={percent} />
      <span className="number">
        {text('cluster.share', { used: shown(used), total: shown(total), percent })}
      </span>
    </span>
  )
}

/** All rows of a list up to a number, page after page. */
function useAllRows<Name extends 'listNodes' | 'searchInstances'>(
  name: Name,
  request: { readonly cluster: string },
) {
  const result = useRows<Name>(name, { ...request, limit: PAGE_ROWS } as never, { everyMs: EVERY_MS })
  const { rows, hasNextPage, isFetchingNextPage, fetchNextPage } = result
  const count = rows?.length ?? 0
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && count < SUMMED_MAX) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, count, fetchNextPage])
  return result
}
