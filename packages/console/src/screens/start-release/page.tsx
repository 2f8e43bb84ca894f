import { Input } from 'antd'
import { useState } from 'react'

import type { Workload } from '@slipway/contract'

import { useAnswer, useChange } from '../../data/queries.ts'
import { useWorkloadTrail } from '../../objects/workload.tsx'
import { Act } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo, useRouteParams, useRouteSearch } from '../../routes/use.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { Page, Panel } from '../../ui/page.tsx'
import { Refusal } from '../../ui/refusal.tsx'
import { ImageChoice } from './image-choice.tsx'
import { InstanceCounts } from './instance-counts.tsx'
import {
  capacities,
  countsWithin,
  firstSteps,
  optionsText,
  planOf,
  stepsText,
  usualCounts,
  type Counts,
  type PlanForm,
  type PlanKind,
} from './plan.ts'
import { StepTable } from './step-table.tsx'
import './start-release.css'

const KINDS: readonly PlanKind[] = ['quick', 'careful', 'steps']

/** An Image, a plan, and the start of a Release. */
export default function StartReleasePage() {
  const { workload: id } = useRouteParams<'startRelease'>()
  const workload = useAnswer('getWorkload', { workload: id })
  return <Loaded of={workload}>{(one) => <StartRelease workload={one} />}</Loaded>
}

function StartRelease({ workload }: { readonly workload: Workload }) {
  const { text } = useText()
  const go = useGo()
  const trail = useWorkloadTrail(workload)
  const [search, setSearch] = useRouteSearch()
  const images = useAnswer('listImages', { application: workload.applicationId, limit: 50 })
  const [plan, setPlan] = useState<PlanForm>({
    kind: 'careful',
    steps: firstSteps,
    onFail: 'rollback',
    probePath: '',
    capacity: 'require',
  })
  const [typed, setTyped] = useState<Counts>({})
  const start = useChange('startRelease', (release) => go(pathTo('release', { release: release.id })))
  const image = search['image'] ?? images.data?.items[0]?.reference
  const template = images.data?.items.find(({ reference }) => reference === image)?.template
  const usual = template === undefined ? {} : usualCounts(template, workload)
  const counts = template === undefined ? {} : countsWithin(template, typed)
  return (
    <Page
      title={text('release.startTitle', { name: workload.name })}
      trail={trail}
      command={`release start ${workload.name} --image ${image === undefined ? '<image>' : digestOf(image)} --steps "${stepsText(plan)}"${optionsText(plan, counts)}`}
      actions={
        <Act
          does="startRelease"
          where={{ workload: workload.id }}
          type="primary"
          disabled={image === undefined}
          loading={start.isPending}
          onClick={() =>
            image !== undefined &&
            start.mutate({ workload: workload.id, image, plan: planOf(plan), instances: counts })
          }
        >
          {text('release.submit')}
        </Act>
      }
    >
      <Refusal error={start.error} />
      <ImageChoice
        images={images}
        workload={workload}
        chosen={image}
        choose={(reference) => setSearch({ image: reference })}
      />
      <InstanceCounts usual={usual} counts={counts} change={setTyped} />
      <PlanPanel plan={plan} counts={{ ...usual, ...counts }} change={setPlan} />
    </Page>
  )
}

/** The digest of a reference, which the command takes without the repository. */
function digestOf(reference: string): string {
  return reference.split('@').at(-1) ?? reference
}

type PlanProps = {
  readonly plan: PlanForm
  /** Instances by process that the new version ends with. */
  readonly counts: Counts
  readonly change: (plan: PlanForm) => void
}

function PlanPanel({ plan, counts, change }: PlanProps) {
  const { text } = useText()
  return (
    <Panel title={text('release.plan')}>
      <fieldset className="plan-kinds">
        <legend className="visually-hidden">{text('release.plan')}</legend>
        {KINDS.map((kind) => (
          <label key={kind} className={plan.kind === kind ? 'plan-kind is-chosen' : 'plan-kind'}>
            <input
              type="radio"
              name="plan"
              checked={plan.kind === kind}
              onChange={() => change({ ...plan, kind })}
            />
            <span>
              <strong>{text(`release.plan.${kind}`)}</strong>
              <small>{text(`release.plan.${kind}Help`)}</small>
            </span>
          </label>
        ))}
      </fieldset>
      {plan.kind === 'steps' && (
        <StepTable steps={plan.steps} change={(steps) => change({ ...plan, steps })} />
      )}
      <div className="plan-rest">
        <span id="on-fail">{text('release.onFail')}</span>
        <div role="radiogroup" aria-labelledby="on-fail" className="radios">
          {(['rollback', 'hold'] as const).map((value) => (
            <label key={value}>
              <input
                type="radio"
                name="on-fail"
                checked={plan.onFail === value}
                onChange={() => change({ ...plan, onFail: value })}
              />{' '}
              {text(`release.onFail.${value}`)}
            </label>
          ))}
        </div>
        <label htmlFor="probe-path">{text('release.probePath')}</label>
        <Input
          id="probe-path"
          className="mono"
          placeholder="/"
          maxLength={256}
          spellCheck={false}
          value={plan.probePath}
          onChange={(event) => change({ ...plan, probePath: event.target.value })}
        />
      </div>
      <CapacityChoice plan={plan} counts={counts} change={change} />
    </Panel>
  )
}

function CapacityChoice({ plan, counts, change }: PlanProps) {
  const { text } = useText()
  const count = Object.values(counts).reduce((sum, one) => sum + one, 0)
  return (
    <fieldset className="plan-capacity">
      <legend>{text('release.capacity')}</legend>
      {capacities.map((capacity) => (
        <label key={capacity}>
          <input
            type="radio"
            name="capacity"
            checked={plan.capacity === capacity}
            onChange={() => change({ ...plan, capacity })}
          />
          <span>
            {text(`release.capacity.${capacity}`)}
            <small>{text(`release.capacity.${capacity}Help`, { count })}</small>
          </span>
        </label>
      ))}
    </fieldset>
  )
}
