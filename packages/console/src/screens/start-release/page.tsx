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
import { firstSteps, planOf, stepsText, type PlanForm, type PlanKind } from './plan.ts'
import { StepTable } from './step-table.tsx'

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
  })
  const start = useChange('startRelease', (release) => go(pathTo('release', { release: release.id })))
  const image = search['image'] ?? images.data?.items[0]?.reference
  return (
    <Page
      title={text('release.startTitle', { name: workload.name })}
      trail={trail}
      command={`release start ${workload.name} --image ${image === undefined ? '<image>' : digestOf(image)} --steps "${stepsText(plan)}"`}
      actions={
        <Act
          does="startRelease"
          where={{ workload: workload.id }}
          type="primary"
          disabled={image === undefined}
          loading={start.isPending}
          onClick={() =>
            image !== undefined && start.mutate({ workload: workload.id, image, plan: planOf(plan) })
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
      <PlanPanel plan={plan} change={setPlan} />
    </Page>
  )
}

/** The digest of a reference, which the command takes without the repository. */
function digestOf(reference: string): string {
  return reference.split('@').at(-1) ?? reference
}

type PlanProps = { readonly plan: PlanForm; readonly change: (plan: PlanForm) => void }

function PlanPanel({ plan, change }: PlanProps) {
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
    </Panel>
  )
}
