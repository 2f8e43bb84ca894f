import type { Pool } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'
import { useState } from 'react'

import { useAnswer } from '../../data/queries.ts'
import { Act } from '../../objects/may.tsx'
import { PoolBadges, PoolProblem } from '../../objects/pool/standing.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useRouteParams } from '../../routes/use.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { Page } from '../../ui/page.tsx'
import { ChangePool, DeletePool } from './dialogs.tsx'
import { PoolNodes } from './nodes.tsx'
import { PoolRented } from './rented.tsx'
import { Rents } from './rents.tsx'
import '../../objects/pool/pool.css'

const EVERY_MS = 5 * SECOND_MS

/** A Pool: its nodes and how they stand, who rents it until when, and who did before. */
export default function PoolPage() {
  const { pool: id } = useRouteParams<'pool'>()
  const pool = useAnswer('getPool', { pool: id }, { everyMs: EVERY_MS })
  return <Loaded of={pool}>{(one) => <PoolView pool={one} />}</Loaded>
}

function PoolView({ pool }: { readonly pool: Pool }) {
  const { text } = useText()
  const [open, setOpen] = useState<'change' | 'delete'>()
  const close = (): void => setOpen(undefined)
  const { data: cluster } = useAnswer('getCluster', { cluster: pool.clusterId }, { quiet: true })
  // Pools of several Clusters may have the same short name.
  const words = cluster === undefined ? pool.slug : `${pool.slug} --cluster ${cluster.slug}`
  return (
    <Page
      title={pool.name}
      trail={[
        { label: text('cluster.list'), to: pathTo('clusters') },
        ...(cluster ? [{ label: cluster.name, to: pathTo('cluster', { cluster: cluster.id }) }] : []),
      ]}
      command={`pool show ${words}`}
      beside={
        <>
          <code>{pool.slug}</code>
          <PoolBadges pool={pool} />
        </>
      }
      actions={
        <>
          <Act does="updatePool" disabled={pool.deleting} onClick={() => setOpen('change')}>
            {text('cluster.rename')}
          </Act>
          <Act does="deletePool" danger disabled={pool.deleting} onClick={() => setOpen('delete')}>
            {text('location.delete')}
          </Act>
        </>
      }
    >
      {pool.problem !== null && (
        <div className="notice tone-border-warn pool-problem" role="status">
          <PoolProblem pool={pool} />
        </div>
      )}
      <PoolRented pool={pool} words={words} />
      <PoolNodes pool={pool} words={words} />
      <Rents pool={pool} />
      {open === 'change' && <ChangePool pool={pool} words={words} close={close} />}
      {open === 'delete' && <DeletePool pool={pool} words={words} close={close} />}
    </Page>
  )
}
