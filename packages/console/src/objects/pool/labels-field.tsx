import { Form } from 'antd'

import { useText } from '../../preferences/text.ts'
import { Tags } from '../../ui/tags.tsx'
import { useNodeLabels } from '../node-labels.ts'
import { LABELS_MAX, selectorOf } from './labels.ts'

/** What Slipway itself writes. */
const OWN_LABEL = 'slipway/pool'

type FieldProps = {
  readonly id: string
  readonly cluster: string
  readonly lines: readonly string[]
  readonly set: (lines: readonly string[]) => void
}

/** The labels by which a Pool chooses its nodes: those that the Cluster has are proposed, others can be written. */
export function LabelsField({ id, cluster, lines, set }: FieldProps) {
  const { text } = useText()
  const labels = useNodeLabels(cluster)
  const isBad = selectorOf(lines) === undefined
  return (
    <Form.Item
      label={text('pool.labels')}
      htmlFor={id}
      extra={text('pool.labelsHelp')}
      validateStatus={isBad ? 'error' : ''}
      help={isBad ? text('pool.labelsInvalid') : undefined}
    >
      <Tags
        id={id}
        className="mono"
        maxCount={LABELS_MAX}
        values={lines}
        set={set}
        known={labels
          .filter(({ label }) => label !== OWN_LABEL)
          .flatMap(({ label, values }) => values.map(({ value }) => `${label}=${value}`))}
      />
    </Form.Item>
  )
}
