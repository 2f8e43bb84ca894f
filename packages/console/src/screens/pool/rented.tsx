import type { Pool } from '@slipway/contract'
import { useState } from 'react'

import { useChange } from '../../data/queries.ts'
import { Act } from '../../objects/may.tsx'
import { RentEnd, RentProject, RentStatus } from '../../objects/pool/standing.tsx'
import { useText } from '../../preferences/text.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Empty, Facts, Panel } from '../../ui/page.tsx'
import { Time } from '../../ui/time.tsx'
import { RentDialog } from './rent-dialog.tsx'

type PoolProps = { readonly pool: Pool; readonly words: string }

/** Who has a Pool to himself and until when, and what can be done about it. */
export function PoolRented({ pool, words }: PoolProps) {
  const { text } = useText()
  const [open, setOpen] = useState<'rent' | 'end'>()
  const close = (): void => setOpen(undefined)
  const { rent } = pool
  // Whose it is has to be said again to change its end.
  const mayProlong = rent === null || rent.project !== null
  return (
    <Panel
      title={text('pool.rent')}
      isFlush={rent === null}
      beside={rent && <RentStatus state={rent.state} />}
      actions={
        <>
          {mayProlong && (
            <Act does="rentPool" disabled={pool.deleting} onClick={() => setOpen('rent')}>
              {text(rent === null ? 'pool.rent' : 'pool.rent.prolong')}
            </Act>
          )}
          {rent && (
            <Act does="endRent" danger onClick={() => setOpen('end')}>
              {text('pool.rent.end')}
            </Act>
          )}
        </>
      }
    >
      {rent ? (
        <Facts
          rows={[
            [text('pool.rent.by'), <RentProject key="project" project={rent.project} />],
            [text('pool.rent.from'), <Time key="from" at={rent.from} />],
            [text('pool.rent.until'), <RentEnd key="until" at={rent.until} />],
            [text('pool.rent.who'), text(rent.isDefault ? 'pool.rent.default' : 'pool.rent.defaultNo')],
          ]}
        />
      ) : (
        <Empty command={`pool rent ${words} --project <project> --until 90d`}>{text('pool.rent.none')}</Empty>
      )}
      {open === 'rent' && <RentDialog pool={pool} words={words} close={close} />}
      {open === 'end' && <EndRent pool={pool} words={words} close={close} />}
    </Panel>
  )
}

function EndRent({ pool, words, close }: PoolProps & { readonly close: () => void }) {
  const { text } = useText()
  const end = useChange('endRent', close)
  const project = pool.rent?.project?.slug ?? text('pool.rent.hidden')
  return (
    <Dialog
      title={text('pool.rent.endTitle', { name: pool.name })}
      confirm={text('pool.rent.end')}
      isDanger
      command={`pool release-rent ${words}`}
      isPending={end.isPending}
      error={end.error}
      close={close}
      act={() => end.mutate({ pool: pool.id })}
    >
      <p>{text('pool.rent.endText', { project })}</p>
    </Dialog>
  )
}
