import { Form, Input } from 'antd'
import { useState } from 'react'

import type { LocationGrant } from '@slipway/contract'

import { useChange } from '../../data/queries.ts'
import { useText } from '../../preferences/text.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { fieldOf, momentOf } from '../../ui/moment.ts'

const COMMENT_MAX = 500

/** What can be done with a request or a grant. */
export type Decision = 'grant' | 'prolong' | 'refuse' | 'takeBack'

type DecideProps = {
  readonly grant: LocationGrant
  readonly decision: Decision
  readonly close: () => void
}

/** Grants a Location to a Project, for good or until a moment; refuses it, or takes it back. */
export function DecideGrant({ grant, decision, close }: DecideProps) {
  const { text } = useText()
  const [until, setUntil] = useState(decision === 'prolong' ? (grant.until ?? undefined) : undefined)
  const [comment, setComment] = useState('')
  const decide = useChange('decideLocationGrant', close)
  const granted = decision === 'grant' || decision === 'prolong'
  const names = { project: grant.project.slug, location: grant.location.slug }
  const end = granted && until !== undefined ? { until } : {}
  return (
    <Dialog
      title={text(`location.${decision}Title`, names)}
      confirm={text(`location.${decision}`)}
      isDanger={!granted}
      command={`location ${granted ? 'grant' : 'refuse'} ${grant.id}${end.until === undefined ? '' : ` --until ${end.until}`}`}
      isPending={decide.isPending}
      error={decide.error}
      close={close}
      act={() => decide.mutate({ grant: grant.id, granted, comment: comment.trim(), ...end })}
      widthPx={560}
    >
      {grant.reason !== '' && <p>{text('location.because', { reason: grant.reason })}</p>}
      {decision === 'takeBack' && <p>{text('location.takeBackText')}</p>}
      <Form layout="vertical" component="div">
        {granted && (
          <Form.Item label={text('location.until')} extra={text('location.untilHelp')} htmlFor="grant-until">
            <Input
              id="grant-until"
              type="datetime-local"
              value={fieldOf(until)}
              onChange={({ target }) => setUntil(momentOf(target.value))}
            />
          </Form.Item>
        )}
        <Form.Item label={text('release.comment')} htmlFor="grant-comment">
          <Input.TextArea
            id="grant-comment"
            rows={2}
            maxLength={COMMENT_MAX}
            value={comment}
            onChange={({ target }) => setComment(target.value)}
          />
        </Form.Item>
      </Form>
    </Dialog>
  )
}
