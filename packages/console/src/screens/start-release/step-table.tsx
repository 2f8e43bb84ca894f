import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { Button, Checkbox, InputNumber } from 'antd'

import { useText } from '../../preferences/text.ts'
import { STEPS_MAX, type Step } from './plan.ts'
import { Icon } from '../../ui/icon.tsx'

const SOAK_MAX_SECONDS = 86_400
type StepsProps = { readonly steps: readonly Step[]; readonly change: (steps: readonly Step[]) => void }

/** The steps of a plan of one's own, one row each. */
export function StepTable({ steps, change }: StepsProps) {
  const { text } = useText()
  const set = (index: number, part: Partial<Step>): void =>
    change(steps.map((step, at) => (at === index ? { ...step, ...part } : step)))
  return (
    <div className="scroll-x">
      <table className="plain-table">
        <thead>
          <tr>
            <th scope="col">{text('release.plan')}</th>
            <th scope="col">{text('release.stepShare')} (%)</th>
            <th scope="col">{text('release.stepWeight')} (%)</th>
            <th scope="col">{text('release.stepSoak')}</th>
            <th scope="col">{text('release.stepApprove')}</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {steps.map((step, index) => (
            // Steps have no name but their place.
            <tr key={index}>
              <th scope="row">{text('release.step', { number: index + 1 })}</th>
              <td>
                <InputNumber
                  controls={false}
                  aria-label={text('release.stepShare')}
                  min={1}
                  max={100}
                  precision={0}
                  value={step.percent}
                  onChange={(value) => set(index, { percent: value ?? 1 })}
                />
              </td>
              <td>
                <InputNumber
                  controls={false}
                  aria-label={text('release.stepWeight')}
                  min={0}
                  max={100}
                  precision={0}
                  placeholder={text('release.stepWeightAuto')}
                  value={step.weight}
                  onChange={(value) => set(index, { weight: value })}
                />
              </td>
              <td>
                <InputNumber
                  controls={false}
                  aria-label={text('release.stepSoak')}
                  min={0}
                  max={SOAK_MAX_SECONDS}
                  precision={0}
                  value={step.soakSeconds}
                  onChange={(value) => set(index, { soakSeconds: value ?? 0 })}
                />
              </td>
              <td>
                <Checkbox
                  aria-label={text('release.stepApprove')}
                  checked={step.approve}
                  onChange={(event) => set(index, { approve: event.target.checked })}
                />
              </td>
              <td>
                <Button
                  type="text"
                  size="small"
                  icon={<Icon of={DeleteOutlined} />}
                  aria-label={text('release.stepRemove', { number: index + 1 })}
                  disabled={steps.length === 1}
                  onClick={() => change(steps.filter((_, at) => at !== index))}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Button
        type="dashed"
        size="small"
        icon={<Icon of={PlusOutlined} />}
        disabled={steps.length >= STEPS_MAX}
        onClick={() => change([...steps, { percent: 100, weight: null, approve: false, soakSeconds: 0 }])}
      >
        {text('release.stepAdd')}
      </Button>
    </div>
  )
}
