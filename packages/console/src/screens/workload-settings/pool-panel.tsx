import type { Workload } from '@slipway/contract'
import { Select } from 'antd'
import { useState } from 'react'

import { useAllRows, useChange } from '../../data/queries.ts'
import { Act } from '../../objects/may.tsx'
import { RentEnd, RentProject } from '../../objects/pool/standing.tsx'
import { useServing } from '../../objects/serving.ts'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { CommandLine } from '../../ui/command.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Go } from '../../ui/go.tsx'
import { Panel } from '../../ui/page.tsx'

/** Stands for no Pool of its own, as its name is none that a Pool can have. */
const NONE = '-'

type WorkloadProps = { readonly workload: Workload }

/** In which Pool a Workload runs: what is set, what counts now, and the way to another one. */
export function PoolPanel({ workload }: WorkloadProps) {
  const { text } = useText()
  const [chosen, setChosen] = useState<string>()
  const [isAsked, setAsked] = useState(false)
  const pools = useAllRows('listPools', { cluster: workload.clusterId, limit: 200 }, { quiet: true })
  const serving = useServing(workload)
  const before = workload.pool ?? NONE
  const value = chosen ?? before
  const shown = pools.rows?.find(({ slug }) => slug === value)
  const choices = (pools.rows ?? []).map(({ slug, name }) => ({
    value: slug,
    label: slug === name ? slug : `${name} · ${slug}`,
  }))
  // One that is set and no longer there is still what is set.
  const isGone = before !== NONE && pools.rows !== undefined && !choices.some((one) => one.value === before)
  return (
    <Panel
      title={text('pool.choice')}
      beside={workload.pool !== null && <span className="badge">{text('pool.own')}</span>}
    >
      <p className="soft pool-choice-text">{text('pool.choiceText')}</p>
      <div className="setting-line">
        <Select<string>
          className="pool-choice"
          aria-label={text('pool.choice')}
          showSearch={{ optionFilterProp: 'label' }}
          popupMatchSelectWidth={false}
          value={value}
          onChange={setChosen}
          options={[
            { value: NONE, label: text('pool.choice.none') },
            ...(isGone ? [{ value: before, label: before }] : []),
            ...choices,
          ]}
        />
        <Act
          does="updateWorkload"
          where={{ workload: workload.id }}
          type="primary"
          disabled={value === before}
          onClick={() => setAsked(true)}
        >
          {text('placement.review')}
        </Act>
        {shown?.rent && (
          <span className="soft">
            {text('pool.rent.Active')}: <RentProject project={shown.rent.project} />,{' '}
            <RentEnd at={shown.rent.until} />
          </span>
        )}
        {shown && <Go to={pathTo('pool', { pool: shown.id })}>{shown.name}</Go>}
      </div>
      {serving && (
        <p className="soft">
          {text('pool.choice.now')}{' '}
          {serving.template.pool === undefined ? (
            text('pool.choice.anywhere')
          ) : (
            <code>{serving.template.pool}</code>
          )}
        </p>
      )}
      <CommandLine line={lineOf(workload, value)} />
      {isAsked && (
        <Save
          workload={workload}
          before={before}
          after={value}
          close={() => setAsked(false)}
          saved={() => {
            setAsked(false)
            setChosen(undefined)
          }}
        />
      )}
    </Panel>
  )
}

function lineOf({ name }: Workload, pool: string): string {
  return `workload pool ${name} ${pool === NONE ? '--none' : pool}`
}

type SaveProps = WorkloadProps & {
  readonly before: string
  readonly after: string
  readonly close: () => void
  readonly saved: () => void
}

/** What goes and what comes, before it is saved. */
function Save({ workload, before, after, close, saved }: SaveProps) {
  const { text } = useText()
  const change = useChange('updateWorkload', saved)
  const said = (pool: string): string => (pool === NONE ? text('pool.choice.none') : pool)
  return (
    <Dialog
      title={text('pool.choice.title', { name: workload.name })}
      confirm={text('common.save')}
      command={lineOf(workload, after)}
      isPending={change.isPending}
      error={change.error}
      close={close}
      act={() => change.mutate({ workload: workload.id, pool: after === NONE ? null : after })}
      widthPx={560}
    >
      <ul className="placement-change">
        <li>
          <del>− {said(before)}</del>
        </li>
        <li>
          <ins>+ {said(after)}</ins>
        </li>
      </ul>
      <p>{text('placement.next')}</p>
    </Dialog>
  )
}
