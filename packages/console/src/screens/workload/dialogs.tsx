import { Form, InputNumber } from 'antd'
import { useState } from 'react'

import type { Workload } from '@slipway/contract'

import { useChange } from '../../data/queries.ts'
import { useText } from '../../preferences/text.ts'
import { Dialog } from '../../ui/dialog.tsx'

const INSTANCES_MAX = 500
type DialogProps = { readonly workload: Workload; readonly close: () => void }

export function RestartDialog({ workload, close }: DialogProps) {
  const { text } = useText()
  const restart = useChange('restartWorkload', close)
  return (
    <Dialog
      title={text('workload.restartTitle', { name: workload.name })}
      confirm={text('workload.restart')}
      command={`workload restart ${workload.name}`}
      isPending={restart.isPending}
      error={restart.error}
      close={close}
      act={() => restart.mutate({ workload: workload.id })}
    >
      <p>{text('workload.restartText')}</p>
    </Dialog>
  )
}

/** How many Instances of each process run. */
export function ScaleDialog({ workload, close }: DialogProps) {
  const { text } = useText()
  const [process = 'web'] = Object.keys(workload.instances)
  const [count, setCount] = useState(workload.instances[process] ?? 1)
  const scale = useChange('scaleWorkload', close)
  return (
    <Dialog
      title={text('workload.scaleTitle', { name: workload.name })}
      confirm={text('workload.scale')}
      command={`workload scale ${workload.name} ${count}`}
      isPending={scale.isPending}
      error={scale.error}
      close={close}
      act={() => scale.mutate({ workload: workload.id, process, instances: count })}
    >
      <Form layout="vertical" component="div">
        <Form.Item label={text('workload.scaleInstances', { process })} htmlFor="instances">
          <InputNumber
            controls={false}
            id="instances"
            min={0}
            max={INSTANCES_MAX}
            precision={0}
            autoFocus
            value={count}
            onChange={(value) => setCount(value ?? 0)}
          />
        </Form.Item>
      </Form>
    </Dialog>
  )
}
