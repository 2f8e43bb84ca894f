import { Form, Input } from 'antd'
import { useState } from 'react'

import type { Release } from '@slipway/contract'

import { useChange } from '../data/queries.ts'
import { useText } from '../preferences/text.ts'
import { Dialog } from '../ui/dialog.tsx'

const COMMENT_MAX = 500

type AnswerProps = {
  readonly release: Pick<Release, 'id' | 'batch'>
  readonly approve: boolean
  readonly close: () => void
}

/** A person's answer to the question a batch waits with. */
export function AnswerDialog({ release, approve, close }: AnswerProps) {
  const { text } = useText()
  const [comment, setComment] = useState('')
  // The batch that was looked at when the dialog opened; a later one is another question.
  const [batch] = useState(release.batch)
  const answer = useChange('approveRelease', close)
  const number = batch + 1
  return (
    <Dialog
      title={text(approve ? 'release.approveTitle' : 'release.rejectTitle', { number })}
      confirm={text(approve ? 'release.approve' : 'release.reject')}
      isDanger={!approve}
      command={`gate ${approve ? 'approve' : 'reject'} ${release.id}`}
      isPending={answer.isPending}
      error={answer.error}
      close={close}
      act={() => answer.mutate({ release: release.id, approve, batch, comment: comment.trim() })}
    >
      {!approve && <p>{text('release.rejectText')}</p>}
      <Form layout="vertical" component="div">
        <Form.Item
          label={text('release.comment')}
          extra={text('release.commentHelp')}
          htmlFor="answer-comment"
        >
          <Input.TextArea
            id="answer-comment"
            autoFocus
            rows={2}
            maxLength={COMMENT_MAX}
            value={comment}
            onChange={(event) => setComment(event.target.value)}
          />
        </Form.Item>
      </Form>
    </Dialog>
  )
}
