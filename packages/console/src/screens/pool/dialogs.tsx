import type { Pool } from '@slipway/contract'
import { Checkbox, Form, Input } from 'antd'
import { useState } from 'react'

import { useChange } from '../../data/queries.ts'
import { LabelsField } from '../../objects/pool/labels-field.tsx'
import { changeWords, linesOf, selectorOf } from '../../objects/pool/labels.ts'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo } from '../../routes/use.ts'
import { Dialog } from '../../ui/dialog.tsx'

const NAME_MAX = 120

type DialogProps = {
  readonly pool: Pool
  /** What the command calls it. */
  readonly words: string
  readonly close: () => void
}

/** Renames a Pool, closes or opens it, or chooses its nodes by other labels. */
export function ChangePool({ pool, words, close }: DialogProps) {
  const { text } = useText()
  const [typed, setTyped] = useState(pool.name)
  const [exclusive, setExclusive] = useState(pool.exclusive)
  const [lines, setLines] = useState(linesOf(pool.selector))
  const change = useChange('updatePool', close)
  const selector = selectorOf(lines)
  const name = typed.trim()
  return (
    <Dialog
      title={text('cluster.renameTitle', { name: pool.name })}
      confirm={text('common.save')}
      isReady={selector !== undefined && name !== ''}
      command={`pool update ${words} ${changeWords(pool, { name, exclusive, selector: selector ?? null })}`}
      isPending={change.isPending}
      error={change.error}
      close={close}
      act={() => selector !== undefined && change.mutate({ pool: pool.id, name, exclusive, selector })}
    >
      <Form layout="vertical" component="div">
        <Form.Item label={text('common.name')} htmlFor="pool-name">
          <Input
            id="pool-name"
            autoFocus
            maxLength={NAME_MAX}
            value={typed}
            onChange={({ target }) => setTyped(target.value)}
          />
        </Form.Item>
        <LabelsField id="pool-labels" cluster={pool.clusterId} lines={lines} set={setLines} />
        <Form.Item extra={text('pool.exclusiveHelp')}>
          <Checkbox checked={exclusive} onChange={({ target }) => setExclusive(target.checked)}>
            {text('pool.exclusiveField')}
          </Checkbox>
        </Form.Item>
      </Form>
    </Dialog>
  )
}

export function DeletePool({ pool, words, close }: DialogProps) {
  const { text } = useText()
  const go = useGo()
  const remove = useChange('deletePool', () => go(pathTo('cluster', { cluster: pool.clusterId })))
  return (
    <Dialog
      title={text('pool.deleteTitle', { name: pool.name })}
      confirm={text('location.delete')}
      isDanger
      command={`pool delete ${words}`}
      isPending={remove.isPending}
      error={remove.error}
      close={close}
      act={() => remove.mutate({ pool: pool.id })}
    >
      <p>{text('pool.deleteText')}</p>
    </Dialog>
  )
}
