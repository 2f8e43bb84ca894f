import { Checkbox, Form, Input } from 'antd'
import { useState } from 'react'

import type { Release } from '@slipway/contract'

import { useAnswer, useChange } from '../../data/queries.ts'
import { ReleaseDiffTable } from '../../objects/release-diff.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo } from '../../routes/use.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Loaded } from '../../ui/loaded.tsx'

const COMMENT_MAX = 500
export type Command = 'promote' | 'abort' | 'redeploy'

type AnswerProps = { readonly release: Release; readonly approve: boolean; readonly close: () => void }

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

const operations = { promote: 'promoteRelease', abort: 'abortRelease', redeploy: 'redeployRelease' } as const
type CommandProps = { readonly release: Release; readonly command: Command; readonly close: () => void }

/** Something that is done to a Release as a whole; says first what that means. */
export function CommandDialog({ release, command, close }: CommandProps) {
  const { text } = useText()
  const go = useGo()
  const change = useChange(operations[command], (answer) => {
    close()
    if (answer.id !== release.id) go(pathTo('release', { release: answer.id }))
  })
  return (
    <Dialog
      title={`${text(`release.${command}`)} · ${text('release.one', { number: release.number })}`}
      confirm={text(`release.${command}`)}
      isDanger={command === 'abort'}
      command={`release ${command} ${release.id}`}
      isPending={change.isPending}
      error={change.error}
      close={close}
      act={() => change.mutate({ release: release.id })}
    >
      <p>{text(`release.${command}Text`)}</p>
    </Dialog>
  )
}

type RollbackProps = { readonly release: Release; readonly name: string; readonly close: () => void }

/** Back to this Release, with what that changes against what serves now. */
export function RollbackDialog({ release, name, close }: RollbackProps) {
  const { text } = useText()
  const go = useGo()
  const [keepConfiguration, setKeep] = useState(false)
  const states = useAnswer('searchWorkloads', { text: name, limit: 10 }, { enabled: name !== '' })
  const serving = states.data?.items.find(({ workload }) => workload.id === release.workloadId)?.serving
  const diff = useAnswer(
    'getReleaseDiff',
    { release: release.id, ...(serving ? { with: serving.id } : {}) },
    { enabled: states.data !== undefined },
  )
  const roll = useChange('rollBackWorkload', (made) => {
    close()
    go(pathTo('release', { release: made.id }))
  })
  return (
    <Dialog
      title={text('release.rollbackTitle', { number: release.number })}
      confirm={text('release.rollback')}
      isDanger
      widthPx={640}
      command={`release rollback ${name} ${release.id}${keepConfiguration ? ' --keep-configuration' : ''}`}
      isPending={roll.isPending}
      error={roll.error}
      close={close}
      act={() => roll.mutate({ workload: release.workloadId, release: release.id, keepConfiguration })}
    >
      <p>{text('release.rollbackText', { number: release.number })}</p>
      <Loaded of={diff}>{(found) => <ReleaseDiffTable diff={found} />}</Loaded>
      <Checkbox checked={keepConfiguration} onChange={(event) => setKeep(event.target.checked)}>
        {text('release.keepConfiguration')} <small>{text('release.keepConfigurationHelp')}</small>
      </Checkbox>
    </Dialog>
  )
}
