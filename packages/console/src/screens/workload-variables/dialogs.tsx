import { Form, Input } from 'antd'
import { useState } from 'react'

import type { Workload } from '@slipway/contract'

import { useChange } from '../../data/queries.ts'
import { useText } from '../../preferences/text.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { DifferenceTable } from './difference-table.tsx'
import { differencesOf, requestOf, type Draft, type Variable } from './draft.ts'

type SaveProps = {
  readonly workload: Workload
  readonly base: readonly Variable[]
  readonly draft: Draft
  /** Number that the new revision will most likely get. */
  readonly revision: number
  readonly close: () => void
  readonly done: (revision: number) => void
}

/** Shows what saving changes, and saves. */
export function SaveDialog({ workload, base, draft, revision, close, done }: SaveProps) {
  const { text } = useText()
  const [comment, setComment] = useState('')
  const save = useChange('setVariables', (made) => done(made.revision))
  const request = requestOf(base, draft)
  const secrets = new Set(request.set.filter(({ secret }) => secret).map(({ name }) => name))
  const words = [
    ...request.set.map(({ name, secret }) => (secret ? `--secret ${name}=…` : `${name}=…`)),
    ...request.remove.map((name) => `--unset ${name}`),
  ]
  return (
    <Dialog
      title={text('variable.saveTitle', { revision })}
      confirm={text('common.save')}
      command={`workload set ${workload.name} ${words.join(' ')}`}
      isPending={save.isPending}
      error={save.error}
      close={close}
      act={() => save.mutate({ workload: workload.id, ...request, comment })}
      widthPx={720}
    >
      <p>{text('variable.saveText')}</p>
      <DifferenceTable rows={differencesOf(base, draft)} secrets={secrets} />
      <Form layout="vertical" component="div">
        <Form.Item label={text('variable.comment')} htmlFor="variables-comment">
          <Input
            id="variables-comment"
            maxLength={500}
            value={comment}
            onChange={({ target }) => setComment(target.value)}
          />
        </Form.Item>
      </Form>
    </Dialog>
  )
}

const ROWS = 10
const LENGTH_MAX = 200_000

export function PasteDialog({
  close,
  take,
}: {
  readonly close: () => void
  readonly take: (lines: string) => void
}) {
  const { text } = useText()
  const [lines, setLines] = useState('')
  return (
    <Dialog
      title={text('variable.paste')}
      confirm={text('variable.take')}
      isPending={false}
      error={null}
      close={close}
      act={() => take(lines)}
      widthPx={640}
    >
      <p>{text('variable.pasteHelp')}</p>
      <Input.TextArea
        autoFocus
        className="mono"
        rows={ROWS}
        spellCheck={false}
        maxLength={LENGTH_MAX}
        aria-label={text('variable.paste')}
        value={lines}
        onChange={({ target }) => setLines(target.value)}
      />
    </Dialog>
  )
}
