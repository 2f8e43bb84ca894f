import { CloseOutlined } from '@ant-design/icons'
import { AutoComplete, Button, Input, InputNumber, Select } from 'antd'
import type { ReactNode } from 'react'

import type { Neighbour, NodeCondition, NodeLabel } from '@slipway/contract'

import { useText } from '../../preferences/text.ts'
import { Icon } from '../../ui/icon.tsx'
import { Tags } from '../../ui/tags.tsx'
import { takesValues, WEIGHT, weighed, type Operator, type Over } from './placement.ts'

const OPERATORS: readonly Operator[] = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']
const OVERS: readonly Over[] = ['host', 'zone']
const NAME_MAX = 317
const WEIGHT_MAX = 100

type RowProps<One> = {
  /** What the row is about, for those who do not see where it stands. */
  readonly label: string
  readonly one: One
  readonly set: (next: One) => void
  readonly remove: () => void
}

type ConditionProps = RowProps<NodeCondition> & {
  /** What the nodes carry, to choose from; others can be written, as a node may come that has them. */
  readonly labels: readonly NodeLabel[]
}

/** What a node must or should be like. */
export function ConditionRow({ label, labels, one, set, remove }: ConditionProps) {
  const { text } = useText()
  const known = labels.find((other) => other.label === one.label)?.values ?? []
  return (
    <Row label={label} remove={remove}>
      <AutoComplete
        className="mono placement-name"
        aria-label={text('placement.label')}
        placeholder="disk"
        popupMatchSelectWidth={false}
        value={one.label}
        onChange={(value: string | undefined) =>
          set({ ...one, label: (value ?? '').trim().slice(0, NAME_MAX) })
        }
        options={labels
          .filter((other) => other.label.includes(one.label))
          .map((other) => ({ value: other.label }))}
      />
      <Select<Operator>
        aria-label={text('placement.operator')}
        value={one.operator}
        popupMatchSelectWidth={false}
        onChange={(operator) => set({ ...one, operator, values: takesValues(operator) ? one.values : [] })}
        options={OPERATORS.map((value) => ({ value, label: text(`placement.operator.${value}`) }))}
      />
      {takesValues(one.operator) && (
        <Tags
          className="placement-values"
          label={text('placement.values')}
          placeholder={text('placement.valuesHelp')}
          values={one.values}
          known={known.map(({ value }) => value).filter((value) => value !== '')}
          set={(values) => set({ ...one, values })}
        />
      )}
      <Strength one={one} set={(weight) => set(weighed(one, weight))} />
    </Row>
  )
}

/** Whose Instances this one's keep away from, or close to. */
export function NeighbourRow({ label, one, set, remove }: RowProps<Neighbour>) {
  const { text } = useText()
  return (
    <Row label={label} remove={remove}>
      <Input
        className="mono placement-name"
        aria-label={text('placement.application')}
        placeholder="api"
        spellCheck={false}
        maxLength={39}
        value={one.application}
        onChange={({ target }) => set({ ...one, application: target.value.trim() })}
      />
      <Select<Over>
        aria-label={text('placement.over')}
        value={one.over}
        popupMatchSelectWidth={false}
        onChange={(over) => set({ ...one, over })}
        options={OVERS.map((value) => ({ value, label: text(`placement.over.${value}`) }))}
      />
      <Strength one={one} set={(weight) => set(weighed(one, weight))} />
    </Row>
  )
}

function Row({
  label,
  remove,
  children,
}: Pick<RowProps<unknown>, 'label' | 'remove'> & { readonly children: ReactNode }) {
  const { text } = useText()
  return (
    <div className="placement-row" role="group" aria-label={label}>
      {children}
      <Button
        type="text"
        icon={<Icon of={CloseOutlined} />}
        aria-label={`${text('placement.remove')} ${label}`}
        onClick={remove}
      />
    </div>
  )
}

type StrengthProps = {
  readonly one: { readonly weight?: number | undefined }
  readonly set: (weight: number | undefined) => void
}

/** Whether it must hold, or how much it counts. */
function Strength({ one: { weight }, set }: StrengthProps) {
  const { text } = useText()
  return (
    <>
      <Select<'must' | 'should'>
        aria-label={text('placement.strength')}
        value={weight === undefined ? 'must' : 'should'}
        popupMatchSelectWidth={false}
        onChange={(how) => set(how === 'must' ? undefined : WEIGHT)}
        options={(['must', 'should'] as const).map((value) => ({
          value,
          label: text(`placement.strength.${value}`),
        }))}
      />
      {weight !== undefined && (
        <InputNumber
          aria-label={text('placement.weight')}
          controls={false}
          min={1}
          max={WEIGHT_MAX}
          precision={0}
          value={weight}
          onChange={(value) => set(value ?? WEIGHT)}
        />
      )}
    </>
  )
}
