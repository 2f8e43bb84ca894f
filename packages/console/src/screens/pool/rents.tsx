import type { Pool, PoolRent } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'

import { useRows } from '../../data/queries.ts'
import { RentEnd, RentProject, RentStatus } from '../../objects/pool/standing.tsx'
import { useFormat } from '../../preferences/format.ts'
import { useText } from '../../preferences/text.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { More } from '../../ui/more.tsx'
import { Empty, Panel } from '../../ui/page.tsx'
import { SteadyList } from '../../ui/steady/steady-list.tsx'

const EVERY_MS = 10 * SECOND_MS
const PAGE_ROWS = 20

/** Who rented a Pool from when until when, the latest first: as far as the reader may see their Projects. */
export function Rents({ pool }: { readonly pool: Pool }) {
  const { text } = useText()
  const title = text('pool.rents')
  const rents = useRows('listRents', { pool: pool.id, limit: PAGE_ROWS }, { everyMs: EVERY_MS })
  return (
    <Panel title={title} isFlush>
      <Loaded of={{ ...rents, data: rents.rows }}>
        {(rows) =>
          rows.length === 0 ? (
            <Empty command={`pool rents --pool ${pool.slug}`}>{text('pool.rents.none')}</Empty>
          ) : (
            <SteadyList
              label={title}
              rows={rows}
              question={rents.question}
              keyOf={({ id }) => id}
              row={(rent) => ({
                main: <RentProject project={rent.project} />,
                note: <Noted rent={rent} />,
                side: (
                  <span className="pool-side">
                    <RentStatus state={rent.state} />
                    <RentEnd at={rent.endedAt ?? rent.until} />
                  </span>
                ),
              })}
            />
          )
        }
      </Loaded>
      <More of={rents} />
    </Panel>
  )
}

function Noted({ rent }: { readonly rent: PoolRent }) {
  const { text } = useText()
  const format = useFormat()
  const words = [
    `${format.day(rent.from)} – ${format.day(rent.endedAt ?? rent.until)}`,
    ...(rent.isDefault ? [text('pool.rents.default')] : []),
    ...(rent.comment === '' ? [] : [rent.comment]),
  ]
  return <small>{words.join(' · ')}</small>
}
