import type { LocationGrant } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'
import { useState, type ReactNode } from 'react'

import { useRows, type RequestOf } from '../../data/queries.ts'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { Ends } from '../../ui/ends.tsx'
import { Go } from '../../ui/go.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { More } from '../../ui/more.tsx'
import { SteadyList } from '../../ui/steady/steady-list.tsx'
import { Time } from '../../ui/time.tsx'
import { Act } from '../may.tsx'
import { DecideGrant, type Decision } from './decide-dialog.tsx'
import { GrantStatus } from './grant-status.tsx'
import './location.css'

const EVERY_MS = 5 * SECOND_MS
const PAGE_ROWS = 50
/** From so many days before its end on, a grant is worth a look. */
const SOON_DAYS = 7

type GrantsProps = {
  readonly label: string
  readonly filter: Pick<RequestOf<'listLocationGrants'>, 'location' | 'state'>
  readonly empty: ReactNode
}

/** Requests for Locations and what became of them, the newest first, each with the decision in place. */
export function Grants({ label, filter, empty }: GrantsProps) {
  const { text } = useText()
  const grants = useRows('listLocationGrants', { ...filter, limit: PAGE_ROWS }, { everyMs: EVERY_MS })
  const [asked, setAsked] = useState<{ readonly grant: LocationGrant; readonly decision: Decision }>()
  return (
    <Loaded of={{ ...grants, data: grants.rows }}>
      {(rows) => (
        <>
          {rows.length === 0 ? (
            empty
          ) : (
            <SteadyList
              label={label}
              rows={rows}
              question={grants.question}
              keyOf={({ id }) => id}
              row={(grant) => ({
                main: <Whose grant={grant} isBoth={filter.location === undefined} />,
                note: <Said grant={grant} />,
                side: (
                  <span className="grant-side">
                    <Standing grant={grant} />
                    {decisionsOf(grant).map((decision) => (
                      <Act
                        key={decision}
                        does="decideLocationGrant"
                        size="small"
                        onClick={() => setAsked({ grant, decision })}
                      >
                        {text(`location.${decision}`)}
                      </Act>
                    ))}
                  </span>
                ),
              })}
            />
          )}
          <More of={grants} />
          {asked && <DecideGrant {...asked} close={() => setAsked(undefined)} />}
        </>
      )}
    </Loaded>
  )
}

function decisionsOf({ state }: LocationGrant): readonly Decision[] {
  switch (state) {
    case 'Requested':
      return ['grant', 'refuse']
    case 'Granted':
      return ['prolong', 'takeBack']
    case 'Refused':
    case 'Ended':
      return ['grant']
  }
}

type OneProps = { readonly grant: LocationGrant }

function Whose({ grant, isBoth }: OneProps & { readonly isBoth: boolean }) {
  const project = <Go to={pathTo('project', { project: grant.project.id })}>{grant.project.slug}</Go>
  if (!isBoth) return project
  return (
    <span>
      {project} → <Go to={pathTo('location', { location: grant.location.id })}>{grant.location.slug}</Go>
    </span>
  )
}

/** Who asked and why, and what was answered. */
function Said({ grant }: OneProps) {
  const { text } = useText()
  const { reason, comment, requestedByName, decidedByName } = grant
  return (
    <>
      <small>
        {text('location.askedBy', { name: requestedByName })} · <Time at={grant.requestedAt} />
        {reason !== '' && ` · ${reason}`}
      </small>
      {decidedByName !== null && grant.decidedAt !== null && (
        <small>
          {text('location.decidedBy', { name: decidedByName })} · <Time at={grant.decidedAt} />
          {comment !== '' && ` · ${comment}`}
        </small>
      )}
    </>
  )
}

/** How a grant stands, and until when. */
export function Standing({ grant }: OneProps) {
  const { text } = useText()
  const { state, until } = grant
  return (
    <>
      <GrantStatus grant={grant} />
      {state === 'Granted' && until === null && <span className="soft">{text('location.noEnd')}</span>}
      {until !== null && <Ends at={until} soonDays={SOON_DAYS} />}
    </>
  )
}
