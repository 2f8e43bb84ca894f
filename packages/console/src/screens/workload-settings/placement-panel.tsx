import { PlusOutlined } from '@ant-design/icons'
import { Button, Segmented, Select } from 'antd'
import { useState, type ReactNode } from 'react'

import type { Placement, Release, Workload } from '@slipway/contract'

import { useChange } from '../../data/queries.ts'
import { Act } from '../../objects/may.tsx'
import { useNodeLabels } from '../../objects/node-labels.ts'
import { useText } from '../../preferences/text.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Panel } from '../../ui/page.tsx'
import { ConditionRow, NeighbourRow } from './placement-rows.tsx'
import {
  differenceOf,
  EMPTY,
  evennessOf,
  isComplete,
  withEvenness,
  type Evenness,
  type Over,
} from './placement.ts'

const EVENNESS: readonly Evenness[] = ['none', 'soft', 'hard']
const OVERS: readonly Over[] = ['host', 'zone']
const CONDITIONS_MAX = 16
const NEIGHBOURS_MAX = 8

type PanelProps = { readonly workload: Workload; readonly serving: Release }

/** Where the Instances of each process may run: what is set here replaces what slipway.yaml says. */
export function PlacementPanel({ workload, serving }: PanelProps) {
  const { text } = useText()
  const names = Object.keys(serving.template.processes)
  const [chosen, setChosen] = useState<string>()
  const name = chosen ?? names[0] ?? 'web'
  const own = workload.placement[name]
  const before = own ?? serving.template.processes[name]?.placement ?? EMPTY
  return (
    <Panel
      title={text('placement.title')}
      beside={own !== undefined && <span className="badge">{text('placement.own')}</span>}
      actions={
        names.length > 1 && (
          <Segmented<string>
            aria-label={text('placement.process')}
            size="small"
            value={name}
            onChange={setChosen}
            options={names}
          />
        )
      }
    >
      <p className="soft">{text('placement.text')}</p>
      <PlacementForm
        key={`${name} ${JSON.stringify(before)}`}
        workload={workload}
        process={name}
        before={before}
        isOwn={own !== undefined}
      />
    </Panel>
  )
}

type FormProps = {
  readonly workload: Workload
  readonly process: string
  readonly before: Placement
  readonly isOwn: boolean
}

function PlacementForm({ workload, process, before, isOwn }: FormProps) {
  const { text } = useText()
  const [placement, setPlacement] = useState(before)
  const [asked, setAsked] = useState<Placement | null>()
  const { added, removed } = differenceOf(before, placement)
  const isSame = added.length + removed.length === 0
  const where = { workload: workload.id }
  return (
    <>
      <div className="placement">
        <Conditions cluster={workload.clusterId} placement={placement} set={setPlacement} />
        <Evennesses placement={placement} set={setPlacement} />
        <Neighbours kind="apart" placement={placement} set={setPlacement} />
        <Neighbours kind="together" placement={placement} set={setPlacement} />
      </div>
      <div className="setting-line">
        <Act
          does="setPlacement"
          where={where}
          type="primary"
          disabled={isSame || !isComplete(placement)}
          onClick={() => setAsked(placement)}
        >
          {text('placement.review')}
        </Act>
        {isOwn && (
          <Act does="setPlacement" where={where} onClick={() => setAsked(null)}>
            {text('placement.clear')}
          </Act>
        )}
      </div>
      {asked !== undefined && (
        <Save
          workload={workload}
          process={process}
          before={before}
          after={asked}
          close={() => setAsked(undefined)}
        />
      )}
    </>
  )
}

type PartProps = { readonly placement: Placement; readonly set: (next: Placement) => void }

function Conditions({ cluster, placement, set }: PartProps & { readonly cluster: string }) {
  const { text } = useText()
  const labels = useNodeLabels(cluster)
  const { nodes } = placement
  return (
    <Part
      title={text('placement.nodes')}
      more={() => set({ ...placement, nodes: [...nodes, { label: '', operator: 'In', values: [] }] })}
      isFull={nodes.length >= CONDITIONS_MAX}
    >
      {nodes.map((one, index) => (
        <ConditionRow
          // Rows have no names of their own, and only the last one is ever added.
          // oxlint-disable-next-line react/no-array-index-key
          key={index}
          label={`${text('placement.nodes')} ${index + 1}`}
          labels={labels}
          one={one}
          set={(next) => set({ ...placement, nodes: nodes.with(index, next) })}
          remove={() => set({ ...placement, nodes: nodes.toSpliced(index, 1) })}
        />
      ))}
    </Part>
  )
}

function Neighbours({ kind, placement, set }: PartProps & { readonly kind: 'apart' | 'together' }) {
  const { text } = useText()
  const title = text(`placement.${kind}`)
  const list = placement[kind]
  const setList = (next: typeof list): void => set({ ...placement, [kind]: next })
  return (
    <Part
      title={title}
      more={() => setList([...list, { application: '', over: 'host' }])}
      isFull={list.length >= NEIGHBOURS_MAX}
    >
      {list.map((one, index) => (
        <NeighbourRow
          // oxlint-disable-next-line react/no-array-index-key
          key={index}
          label={`${title} ${index + 1}`}
          one={one}
          set={(next) => setList(list.with(index, next))}
          remove={() => setList(list.toSpliced(index, 1))}
        />
      ))}
    </Part>
  )
}

function Evennesses({ placement, set }: PartProps) {
  const { text } = useText()
  return (
    <fieldset className="process">
      <legend>{text('placement.spread')}</legend>
      {OVERS.map((over) => (
        <label key={over} className="placement-row">
          <span>{text(`placement.over.${over}`)}</span>
          <Select<Evenness>
            aria-label={`${text('placement.spread')} ${text(`placement.over.${over}`)}`}
            value={evennessOf(placement, over)}
            popupMatchSelectWidth={false}
            onChange={(evenness) => set(withEvenness(placement, over, evenness))}
            options={EVENNESS.map((value) => ({ value, label: text(`placement.spread.${value}`) }))}
          />
        </label>
      ))}
    </fieldset>
  )
}

type PartOfForm = {
  readonly title: string
  readonly more: () => void
  readonly isFull: boolean
  readonly children: ReactNode
}

function Part({ title, more, isFull, children }: PartOfForm) {
  const { text } = useText()
  return (
    <fieldset className="process">
      <legend>{title}</legend>
      {children}
      <Button
        size="small"
        icon={<Icon of={PlusOutlined} />}
        disabled={isFull}
        onClick={more}
        aria-label={`${text('placement.add')}: ${title}`}
      >
        {text('placement.add')}
      </Button>
    </fieldset>
  )
}

type SaveProps = {
  readonly workload: Workload
  readonly process: string
  readonly before: Placement
  /** Null: what slipway.yaml says counts again. */
  readonly after: Placement | null
  readonly close: () => void
}

/** What goes and what comes, before it is saved. */
function Save({ workload, process, before, after, close }: SaveProps) {
  const { text } = useText()
  const change = useChange('setPlacement', close)
  const { removed, added } = differenceOf(before, after ?? EMPTY)
  const ending = after === null ? '--clear' : 'placement.yaml'
  return (
    <Dialog
      title={text('placement.saveTitle', { name: workload.name, process })}
      confirm={text('common.save')}
      command={`workload place ${workload.name} ${ending} --process ${process}`}
      isPending={change.isPending}
      error={change.error}
      close={close}
      act={() => change.mutate({ workload: workload.id, process, placement: after })}
      widthPx={640}
    >
      {after === null ? (
        <p>{text('placement.clearText')}</p>
      ) : (
        <ul className="placement-change">
          {removed.map((line) => (
            <li key={line}>
              <del>
                <code>− {line}</code>
              </del>
            </li>
          ))}
          {added.map((line) => (
            <li key={line}>
              <ins>
                <code>+ {line}</code>
              </ins>
            </li>
          ))}
        </ul>
      )}
      <p>{text('placement.next')}</p>
    </Dialog>
  )
}
