import type { Pool, RentPreview } from '@slipway/contract'
import { Checkbox, Form, Input } from 'antd'
import { useState } from 'react'

import { useAnswer, useChange, useRows } from '../../data/queries.ts'
import { ProjectPicker } from '../../objects/pick.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Go } from '../../ui/go.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { fieldOf, momentOf } from '../../ui/moment.ts'
import { Status } from '../../ui/status.tsx'

const COMMENT_MAX = 500

type Strangers = 'refuse' | 'stay'
type RentProps = { readonly pool: Pool; readonly words: string; readonly close: () => void }

/** Rents a Pool to a Project until a moment, or changes the end of its rent; shows whom that touches before it is done. */
export function RentDialog({ pool, words, close }: RentProps) {
  const { rent } = pool
  // What was noted about the rent stays unless it is written anew.
  const rents = useRows('listRents', { pool: pool.id, limit: 20 }, { quiet: true, enabled: rent !== null })
  const noted = rents.rows?.find(({ endedAt }) => endedAt === null)?.comment ?? ''
  const isKnown = rent === null || !rents.isPending
  return isKnown ? <RentForm pool={pool} words={words} close={close} noted={noted} /> : null
}

function RentForm({ pool, words, close, noted }: RentProps & { readonly noted: string }) {
  const { text } = useText()
  const { rent } = pool
  const [chosen, setProject] = useState<string>()
  const [until, setUntil] = useState(rent?.until)
  const [isDefault, setDefault] = useState(rent?.isDefault ?? false)
  const [comment, setComment] = useState(noted)
  const [strangers, setStrangers] = useState<Strangers>('refuse')
  const put = useChange('rentPool', close)
  const project = rent?.project?.id ?? chosen
  const { data: named } = useAnswer(
    'getProject',
    { project: project ?? '' },
    { enabled: project !== undefined, quiet: true },
  )
  const slug = rent?.project?.slug ?? (project === undefined ? undefined : named?.slug)
  const line = [
    `pool rent ${words} --project ${slug ?? '<project>'} --until ${until ?? '<when>'}`,
    ...(isDefault ? ['--default'] : []),
    ...(strangers === 'stay' ? ['--strangers stay'] : []),
    ...(comment.trim() === '' ? [] : ['--comment <text>']),
  ]
  return (
    <Dialog
      title={
        rent
          ? text('pool.rent.prolongTitle', { name: pool.name, project: slug ?? '' })
          : text('pool.rent.title', { name: pool.name })
      }
      confirm={text(rent ? 'common.save' : 'pool.rent')}
      isReady={project !== undefined && until !== undefined}
      command={line.join(' ')}
      isPending={put.isPending}
      error={put.error}
      close={close}
      act={() =>
        project !== undefined &&
        until !== undefined &&
        put.mutate({ pool: pool.id, project, until, isDefault, strangers, comment: comment.trim() })
      }
      widthPx={600}
    >
      <Form layout="vertical" component="div">
        {rent === null && (
          <Form.Item label={text('pool.rent.by')} htmlFor="rent-project">
            <ProjectPicker id="rent-project" autoFocus value={chosen} onChange={setProject} />
          </Form.Item>
        )}
        <Form.Item label={text('pool.rent.until')} extra={text('pool.rent.untilHelp')} htmlFor="rent-until">
          <Input
            id="rent-until"
            type="datetime-local"
            value={fieldOf(until)}
            onChange={({ target }) => setUntil(momentOf(target.value))}
          />
        </Form.Item>
        <Form.Item>
          <Checkbox checked={isDefault} onChange={({ target }) => setDefault(target.checked)}>
            {text('pool.rent.defaultField')}
          </Checkbox>
        </Form.Item>
        <Form.Item label={text('release.comment')} htmlFor="rent-comment">
          <Input.TextArea
            id="rent-comment"
            rows={2}
            maxLength={COMMENT_MAX}
            value={comment}
            onChange={({ target }) => setComment(target.value)}
          />
        </Form.Item>
      </Form>
      <fieldset className="pool-touches">
        <legend>{text('pool.rent.touches')}</legend>
        {project === undefined ? (
          <p className="soft">{text('pool.rent.choose')}</p>
        ) : (
          <Touched pool={pool.id} project={project} strangers={strangers} set={setStrangers} />
        )}
      </fieldset>
    </Dialog>
  )
}

type TouchedProps = {
  readonly pool: string
  readonly project: string
  readonly strangers: Strangers
  readonly set: (strangers: Strangers) => void
}

/** Whose Instances are on the nodes, and what is to become of those of others. */
function Touched({ pool, project, strangers, set }: TouchedProps) {
  const { text } = useText()
  const preview = useAnswer('getRentPreview', { pool, project })
  return (
    <Loaded of={preview}>
      {(seen) => (
        <>
          <p>
            {seen.strangers.instances === 0
              ? text('pool.rent.nobody')
              : text('pool.rent.strangers', seen.strangers)}
          </p>
          <Guests seen={seen} />
          {seen.builds + seen.others > 0 && (
            <p className="soft">{text('pool.rent.others', { builds: seen.builds, others: seen.others })}</p>
          )}
          {seen.strangers.instances > 0 && (
            <div className="radios" role="radiogroup" aria-label={text('pool.rent.touches')}>
              {(['refuse', 'stay'] as const).map((how) => (
                <label key={how}>
                  <input
                    type="radio"
                    name="strangers"
                    checked={strangers === how}
                    onChange={() => set(how)}
                  />{' '}
                  {text(`pool.rent.${how}`)}
                </label>
              ))}
            </div>
          )}
        </>
      )}
    </Loaded>
  )
}

function Guests({ seen }: { readonly seen: RentPreview }) {
  const { text } = useText()
  const shown = seen.guests.filter(({ stranger }) => stranger).length
  return (
    <>
      {seen.guests.length > 0 && (
        <ul className="pool-guests" aria-label={text('pool.rent.touches')}>
          {seen.guests.map(({ workload, instances, nodes, stranger }) => (
            <li key={workload.id}>
              <Go to={pathTo('workload', { workload: workload.id })}>{workload.name}</Go>
              <Status tone={stranger ? 'warn' : 'good'}>
                {text(stranger ? 'pool.rent.stranger' : 'pool.rent.own')}
              </Status>
              <span className="soft">
                {text('pool.rent.instances', { count: instances, nodes: nodes.join(', ') })}
              </span>
            </li>
          ))}
        </ul>
      )}
      {shown < seen.strangers.workloads && <p className="soft">{text('pool.rent.unseen')}</p>}
    </>
  )
}
