import type { Pool, RentState } from '@slipway/contract'
import { errorText } from '@slipway/messages'

import { useFormat } from '../../preferences/format.ts'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { Go } from '../../ui/go.tsx'
import { Status, type Tone } from '../../ui/status.tsx'
import { useNow } from '../../ui/time.tsx'

const tones: Readonly<Record<RentState, Tone>> = { Active: 'good', Ending: 'warn', Ended: 'idle' }

/** Whether somebody has a Pool to himself, and whether that is over soon. */
export function RentStatus({ state }: { readonly state: RentState }) {
  const { text } = useText()
  return <Status tone={tones[state]}>{text(`pool.rent.${state}`)}</Status>
}

/** Until when, as a day and as the time that is left; or that it is over since then. */
export function RentEnd({ at }: { readonly at: string }) {
  const { text } = useText()
  const format = useFormat()
  const now = useNow()
  const key = new Date(at) <= now ? 'common.ended' : 'common.ends'
  return (
    <time dateTime={at} title={format.absolute(at)}>
      {text(key, { date: format.day(at), time: format.relative(at, now) })}
    </time>
  )
}

type Rent = NonNullable<Pool['rent']>

/** Whose a rent is, as far as the reader may know. */
export function RentProject({ project }: Pick<Rent, 'project'>) {
  const { text } = useText()
  if (project === null) return <span className="soft">{text('pool.rent.hidden')}</span>
  return <Go to={pathTo('project', { project: project.id })}>{project.slug}</Go>
}

/** What a Pool's name has beside it. */
export function PoolBadges({ pool: { exclusive, deleting } }: { readonly pool: Pool }) {
  const { text } = useText()
  return (
    <>
      {exclusive && <span className="badge">{text('pool.exclusive')}</span>}
      {deleting && <span className="badge">{text('pool.deleting')}</span>}
    </>
  )
}

/** Why the nodes of a Pool are not as they should be. */
export function PoolProblem({ pool: { problem } }: { readonly pool: Pool }) {
  const { language } = useText()
  if (problem === null) return null
  return <Status tone="warn">{errorText(language, problem.code, problem.params)}</Status>
}
