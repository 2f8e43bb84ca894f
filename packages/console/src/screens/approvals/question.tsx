import type { ReleaseSummary, WaitingGate } from '@slipway/contract'
import { releaseText } from '@slipway/messages'
import { Button } from 'antd'
import { useId, useState } from 'react'

import { useAllRows, useAnswer } from '../../data/queries.ts'
import { AnswerDialog } from '../../objects/answer-dialog.tsx'
import { Guarded, LackText, useLack, type Lack } from '../../objects/may.tsx'
import { ReleaseDiffTable } from '../../objects/release-diff.tsx'
import { ReleaseLink } from '../../objects/release.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { Go } from '../../ui/go.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Status } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'

const APPROVERS: Lack = { permission: 'release:approve', role: 'maintainer' }

type QuestionProps = {
  readonly gate: WaitingGate
  /** It no longer waits and only keeps its place. */
  readonly isAnswered: boolean
  readonly isOpenAtFirst: boolean
}

/** One question: which Release, how far it is, what speaks for it, and the answer. */
export function Question({ gate: { release, mayApprove }, isAnswered, isOpenAtFirst }: QuestionProps) {
  const { text } = useText()
  const [isOpen, setOpen] = useState(isOpenAtFirst)
  const [answer, setAnswer] = useState<'approve' | 'reject'>()
  const heading = useId()
  return (
    <li className={isAnswered ? 'question is-gone' : 'question'} aria-labelledby={heading}>
      <div className="question-head">
        <div className="question-what">
          <h3 id={heading}>
            <Go to={pathTo('workload', { workload: release.workload.id })}>{release.workload.name}</Go>{' '}
            <ReleaseLink id={release.id} number={release.number} />
          </h3>
          <p className="soft">
            {text('approvals.batchOf', { number: release.batch + 1, count: release.batches })} ·{' '}
            {text('release.instancesReady', {
              ready: release.counts.newReady,
              wanted: release.counts.newWanted,
            })}{' '}
            · {text('approvals.weight', { weight: release.weight })} ·{' '}
            {text('common.by', { name: release.createdBy })} · <Time at={release.since} />
          </p>
        </div>
        <div className="question-answer">
          {isAnswered ? (
            <Status tone="idle">{text('approvals.answered')}</Status>
          ) : (
            <Answers mayApprove={mayApprove} workload={release.workload.id} answer={setAnswer} />
          )}
        </div>
      </div>
      {isOpen && <Evidence release={release} />}
      <Button type="link" size="small" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {text(isOpen ? 'approvals.less' : 'approvals.more')}
      </Button>
      {answer && (
        <AnswerDialog release={release} approve={answer === 'approve'} close={() => setAnswer(undefined)} />
      )}
    </li>
  )
}

type AnswersProps = {
  readonly mayApprove: boolean
  readonly workload: string
  readonly answer: (how: 'approve' | 'reject') => void
}

function Answers({ mayApprove, workload, answer }: AnswersProps) {
  const { text } = useText()
  const found = useLack('approveRelease', { workload })
  // The list itself says whether one may, before the rest is known.
  const lack = mayApprove ? undefined : (found ?? APPROVERS)
  return (
    <>
      <span className="question-buttons">
        <Guarded lack={lack} type="primary" onClick={() => answer('approve')}>
          {text('release.approve')}
        </Guarded>
        <Guarded lack={lack} onClick={() => answer('reject')}>
          {text('release.reject')}
        </Guarded>
      </span>
      {lack && (
        <small className="soft">
          <LackText lack={lack} />
        </small>
      )}
    </>
  )
}

/** What the gates of this batch have found, and what the Release changes. */
function Evidence({ release }: { readonly release: ReleaseSummary }) {
  const { text, language } = useText()
  const events = useAllRows('listReleaseEvents', { release: release.id, limit: 200 })
  const diff = useAnswer('getReleaseDiff', { release: release.id })
  return (
    <div className="question-evidence">
      <section aria-label={text('approvals.evidence')}>
        <h4>{text('approvals.evidence')}</h4>
        <Loaded of={{ ...events, data: events.rows }}>
          {(rows) => {
            const found = rows.filter(({ kind, batch }) => kind === 'gate' && batch === release.batch)
            if (found.length === 0) return <p className="soft">{text('approvals.noEvidence')}</p>
            return (
              <ul>
                {found.map(({ sequence, code, params, at }) => (
                  <li key={sequence}>
                    {releaseText(language, code, params)}{' '}
                    <small className="soft">
                      <Time at={at} />
                    </small>
                  </li>
                ))}
              </ul>
            )
          }}
        </Loaded>
      </section>
      <section aria-label={text('release.diff')}>
        <h4>{text('release.diff')}</h4>
        <Loaded of={diff}>{(changes) => <ReleaseDiffTable diff={changes} />}</Loaded>
      </section>
    </div>
  )
}
