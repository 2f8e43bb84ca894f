import { InputNumber } from 'antd'
import { useState } from 'react'

import type { Workload } from '@slipway/contract'
import { MINUTE_MS, SECOND_MS } from '@slipway/kit'

import { useChange } from '../../data/queries.ts'
import { useServing } from '../../objects/serving.ts'
import { WorkloadPage } from '../../objects/workload-page.tsx'
import { Act } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { useRouteParams } from '../../routes/use.ts'
import { CommandLine } from '../../ui/command.tsx'
import { Empty, Panel } from '../../ui/page.tsx'
import { Refusal } from '../../ui/refusal.tsx'
import { PlacementPanel } from './placement-panel.tsx'
import { PoolPanel } from './pool-panel.tsx'
import { ProcessForms } from './process-forms.tsx'
import './settings.css'

const MINUTE_SECONDS = MINUTE_MS / SECOND_MS
const KEEP_MINUTES_MAX = 1_440

/** How a Workload runs: its processes with ports, probes and resources, and how long an old version stays. */
export default function WorkloadSettingsPage() {
  const { workload: id } = useRouteParams<'workloadSettings'>()
  return (
    <WorkloadPage id={id} command={(name) => `workload show ${name}`}>
      {(workload) => (
        <>
          <Keep workload={workload} />
          <Processes workload={workload} />
          <PoolPanel workload={workload} />
          <Placing workload={workload} />
        </>
      )}
    </WorkloadPage>
  )
}

function Keep({ workload }: { readonly workload: Workload }) {
  const { text } = useText()
  const [typed, setTyped] = useState<number>()
  const change = useChange('updateWorkload', () => setTyped(undefined))
  const minutes = typed ?? workload.keepSeconds / MINUTE_SECONDS
  return (
    <Panel title={text('setting.keep')}>
      <div className="setting-line">
        <InputNumber
          aria-label={`${text('setting.keep')}, ${text('setting.keepMinutes')}`}
          controls={false}
          min={0}
          max={KEEP_MINUTES_MAX}
          value={minutes}
          suffix={text('setting.keepMinutes')}
          onChange={(value) => setTyped(value ?? 0)}
        />
        <Act
          does="updateWorkload"
          where={{ workload: workload.id }}
          type="primary"
          disabled={typed === undefined}
          loading={change.isPending}
          onClick={() =>
            change.mutate({ workload: workload.id, keepSeconds: Math.round(minutes * MINUTE_SECONDS) })
          }
        >
          {text('common.save')}
        </Act>
        <span role="status">{change.isSuccess && typed === undefined && text('setting.saved')}</span>
      </div>
      <p className="soft">{text('setting.keepHelp')}</p>
      <Refusal error={change.error} />
      <CommandLine line={`workload keep ${workload.name} ${Math.round(minutes)}m`} />
    </Panel>
  )
}

/** Known once something was released: until then nobody knows its processes. */
function Placing({ workload }: { readonly workload: Workload }) {
  const serving = useServing(workload)
  return serving ? <PlacementPanel workload={workload} serving={serving} /> : null
}

function Processes({ workload }: { readonly workload: Workload }) {
  const { text } = useText()
  const serving = useServing(workload)
  return (
    <Panel title={text('setting.processes')}>
      {serving ? (
        <>
          <p className="soft">{text('setting.processesFrom')}</p>
          <ProcessForms key={serving.id} processes={serving.template.processes} />
        </>
      ) : (
        <Empty command={`release start ${workload.name} --image <image>`}>{text('setting.none')}</Empty>
      )}
    </Panel>
  )
}
