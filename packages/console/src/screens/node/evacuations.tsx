import type { Evacuation, EvacuationDetail, MoveState } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'
import { errorText } from '@slipway/messages'
import { Checkbox } from 'antd'
import { useState } from 'react'

import { useAnswer, useChange } from '../../data/queries.ts'
import { Act } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Go } from '../../ui/go.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Panel } from '../../ui/page.tsx'
import { Status, type Tone } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'

const RUNNING_MS = 2 * SECOND_MS
const RESTING_MS = 10 * SECOND_MS
const SHOWN = 5

const tones: Readonly<Record<Evacuation['state'], Tone>> = {
  Running: 'busy',
  Done: 'good',
  Cancelled: 'idle',
  Expired: 'warn',
}
const moveTones: Readonly<Record<MoveState, Tone>> = {
  Waiting: 'wait',
  Leaving: 'busy',
  Moved: 'good',
  Stayed: 'idle',
  Gone: 'idle',
}

type NodeProps = { readonly cluster: string; readonly node: string }

/** What left a node, because it was drained or was lost: the newest with every move, those before in a line. */
export function Evacuations({ cluster, node }: NodeProps) {
  const { text } = useText()
  const list = useAnswer('listEvacuations', { cluster, node, limit: SHOWN }, { everyMs: RESTING_MS / 2 })
  return (
    <Loaded of={list}>
      {({ items: [newest, ...before] }) =>
        newest === undefined ? null : (
          <>
            <Newest key={newest.id} of={newest} />
            {before.length > 0 && (
              <Panel title={text('drain.before')} isFlush>
                <ul className="list">
                  {before.map((one) => (
                    <li key={one.id}>
                      <span className="list-main">
                        <span>{text(`drain.kind.${one.kind}`)}</span>
                        <small>{countsText(one, text)}</small>
                      </span>
                      <span className="list-side">
                        <Status tone={tones[one.state]}>{text(`drain.state.${one.state}`)}</Status>
                        <Time at={one.startedAt} />
                      </span>
                    </li>
                  ))}
                </ul>
              </Panel>
            )}
          </>
        )
      }
    </Loaded>
  )
}

function countsText({ counts }: Evacuation, text: ReturnType<typeof useText>['text']): string {
  return (Object.keys(moveTones) as MoveState[])
    .filter((state) => counts[state] > 0)
    .map((state) => `${text(`drain.move.${state}`)}: ${counts[state]}`)
    .join(' · ')
}

function Newest({ of: newest }: { readonly of: Evacuation }) {
  const { text, language } = useText()
  const [isAsking, setAsking] = useState(false)
  const isRunning = newest.state === 'Running'
  const detail = useAnswer(
    'getEvacuation',
    { evacuation: newest.id },
    { everyMs: isRunning ? RUNNING_MS : RESTING_MS },
  )
  const { state, kind, problem, startedAt } = detail.data ?? newest
  return (
    <Panel
      title={text(`drain.kind.${kind}`)}
      isFlush
      beside={
        <>
          <Status tone={tones[state]}>{text(`drain.state.${state}`)}</Status>
          <span className="soft">
            <Time at={startedAt} />
          </span>
        </>
      }
      actions={
        kind === 'drain' &&
        state === 'Running' && (
          <Act does="cancelDrain" danger onClick={() => setAsking(true)}>
            {text('drain.cancel')}
          </Act>
        )
      }
    >
      {problem && (
        <p className="notice" role="status">
          <Status tone="warn">{errorText(language, problem.code, problem.params)}</Status>
        </p>
      )}
      <Loaded of={detail}>{({ moves }) => <Moves moves={moves} />}</Loaded>
      {isAsking && <Cancel of={newest} close={() => setAsking(false)} />}
    </Panel>
  )
}

function Moves({ moves }: { readonly moves: EvacuationDetail['moves'] }) {
  const { text, language } = useText()
  if (moves.length === 0) return <p className="lacking">{text('drain.nothing')}</p>
  return (
    <ul className="list" aria-label={text('drain.moves.list')}>
      {moves.map(({ workload, instance, state, why, toNode, since }) => (
        <li key={instance}>
          <span className="list-main">
            <span className="row-actions">
              <Go to={pathTo('workload', { workload: workload.id })}>{workload.name}</Go>
              <code>{instance}</code>
            </span>
            {why && <small>{errorText(language, why.code, why.params)}</small>}
          </span>
          <span className="list-side">
            {toNode !== null && <span>{text('drain.to', { node: toNode })}</span>}
            <Status tone={moveTones[state]}>{text(`drain.move.${state}`)}</Status>
            <Time at={since} />
          </span>
        </li>
      ))}
    </ul>
  )
}

function Cancel({ of: { id, node }, close }: { readonly of: Evacuation; readonly close: () => void }) {
  const { text } = useText()
  const [schedulable, setSchedulable] = useState(true)
  const cancel = useChange('cancelDrain', close)
  return (
    <Dialog
      title={text('drain.cancelTitle', { name: node })}
      confirm={text('drain.cancel')}
      command={`node cancel-drain ${id}`}
      isPending={cancel.isPending}
      error={cancel.error}
      close={close}
      act={() => cancel.mutate({ evacuation: id, schedulable })}
    >
      <p>{text('drain.cancelText')}</p>
      <Checkbox checked={schedulable} onChange={({ target }) => setSchedulable(target.checked)}>
        {text('drain.again')}
      </Checkbox>
    </Dialog>
  )
}
