import { Button, Modal } from 'antd'
import { useEffect, useRef, useState } from 'react'

import { api } from '../../data/client.ts'
import { cache, noticeFailure, type JsonName, type RequestOf } from '../../data/queries.ts'
import { useText } from '../../preferences/text.ts'
import { CommandLine } from '../../ui/command.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { useRefusalText } from '../../ui/refusal.tsx'
import { Status } from '../../ui/status.tsx'
import { askEach, countsOf, type Outcome, type Outcomes } from './run.ts'

export type BulkItem<Name extends JsonName> = {
  readonly key: string
  readonly name: string
  readonly request: RequestOf<Name>
}

type BulkProps<Name extends JsonName> = {
  readonly title: string
  /** What it does to each of them. */
  readonly explanation: string
  readonly confirm: string
  readonly isDanger?: boolean
  readonly operation: Name
  readonly items: readonly BulkItem<Name>[]
  /** The line of the command that does the same for one. */
  readonly command: string
  readonly close: () => void
  /** Called once everything is done. */
  readonly done: () => void
}

type Phase = 'checking' | 'checked' | 'doing' | 'done'

/** One operation for many: a preview that says which of them would be refused and why, then a report for each. */
export function BulkDialog<Name extends JsonName>(props: BulkProps<Name>) {
  const { text } = useText()
  const { items, operation } = props
  // What was chosen when the dialog opened; the list behind it goes on changing.
  const [chosen] = useState(items)
  const [phase, setPhase] = useState<Phase>('checking')
  const [outcomes, setOutcomes] = useState<Outcomes>(
    new Map(items.map(({ key }) => [key, { kind: 'waiting' }])),
  )
  const ending = useRef(new AbortController())
  const ask = async (keys: readonly string[], isCheck: boolean): Promise<void> => {
    const requests = new Map(chosen.map(({ key, request }) => [key, request]))
    await askEach({
      keys,
      ask: (key) => api.call(operation, requests.get(key) as never, { dryRun: isCheck }),
      well: isCheck ? 'accepted' : 'done',
      tell: (key, outcome) => {
        if (outcome.kind === 'refused') noticeFailure(outcome.error)
        setOutcomes((before) => new Map([...before, [key, outcome]]))
      },
      signal: ending.current.signal,
    })
  }
  useEffect(() => {
    const controller = new AbortController()
    ending.current = controller
    void ask(
      chosen.map(({ key }) => key),
      true,
    ).then(() => !controller.signal.aborted && setPhase('checked'))
    return () => controller.abort(new Error('the dialog was closed'))
  }, [])
  const accepted = chosen.filter(({ key }) => outcomes.get(key)?.kind === 'accepted').map(({ key }) => key)
  const act = async (): Promise<void> => {
    setPhase('doing')
    await ask(accepted, false)
    setPhase('done')
    props.done()
    await cache.invalidateQueries()
  }
  return (
    <Modal
      open
      title={props.title}
      width={640}
      onCancel={props.close}
      footer={
        <>
          <Button onClick={props.close}>{text(phase === 'done' ? 'common.close' : 'common.cancel')}</Button>
          {phase !== 'done' && (
            <Button
              type="primary"
              danger={props.isDanger ?? false}
              disabled={phase !== 'checked' || accepted.length === 0}
              loading={phase === 'doing'}
              // Refusals are told row by row.
              onClick={() => void act()}
            >
              {props.confirm} ({accepted.length})
            </Button>
          )}
        </>
      }
    >
      <div className="dialog">
        <p>{props.explanation}</p>
        <Summary outcomes={outcomes} phase={phase} />
        <Report items={chosen} outcomes={outcomes} isAfter={phase === 'doing' || phase === 'done'} />
        <CommandLine line={props.command} />
      </div>
    </Modal>
  )
}

function Summary({ outcomes, phase }: { readonly outcomes: Outcomes; readonly phase: Phase }) {
  const { text } = useText()
  const counts = countsOf(outcomes)
  return (
    <p role="status">
      <strong>
        {phase === 'checking'
          ? text('bulk.checking', { count: counts.waiting })
          : phase === 'checked'
            ? text('bulk.checked', { accepted: counts.accepted, refused: counts.refused })
            : text('bulk.report', { done: counts.done, refused: counts.refused, left: counts.accepted })}
      </strong>
    </p>
  )
}

type ReportProps = {
  readonly items: readonly { readonly key: string; readonly name: string }[]
  readonly outcomes: Outcomes
  readonly isAfter: boolean
}

function Report({ items, outcomes, isAfter }: ReportProps) {
  const { text } = useText()
  const wordsOf = useOutcomeText(isAfter)
  const lines = items.map(({ key, name }) => `${name}\t${wordsOf(outcomes.get(key))}`)
  return (
    <>
      <ul className="list bulk-report" aria-label={text('bulk.rows')} tabIndex={0}>
        {items.map(({ key, name }) => {
          const outcome = outcomes.get(key) ?? { kind: 'waiting' }
          return (
            <li key={key}>
              <code className="list-main">{name}</code>
              <span className="list-side">
                <Status tone={toneOf(outcome, isAfter)}>{wordsOf(outcome)}</Status>
              </span>
            </li>
          )
        })}
      </ul>
      <p className="soft">
        {text('bulk.copy')} <CopyButton value={lines.join('\n')} />
      </p>
    </>
  )
}

function toneOf({ kind }: Outcome, isAfter: boolean) {
  if (kind === 'refused') return 'bad'
  if (kind === 'done') return 'good'
  return kind === 'accepted' && !isAfter ? 'wait' : 'busy'
}

function useOutcomeText(isAfter: boolean): (outcome: Outcome | undefined) => string {
  const { text } = useText()
  const refusal = useRefusalText()
  return (outcome) => {
    if (outcome?.kind === 'refused') return refusal(outcome.error)
    if (outcome?.kind === 'done') return text('bulk.done')
    return outcome?.kind === 'accepted' && !isAfter ? text('bulk.accepted') : text('bulk.waiting')
  }
}
