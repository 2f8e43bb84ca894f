import { useState } from 'react'

import type { Workload, WorkloadState } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'

import { useAnswer } from '../../data/queries.ts'
import { ReleaseLink, ReleaseStatus } from '../../objects/release.tsx'
import { Act } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { useFormat } from '../../preferences/format.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo, useRouteParams } from '../../routes/use.ts'
import { Code, shortDigest } from '../../ui/copy.tsx'
import { Out } from '../../ui/go.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Facts, Panel } from '../../ui/page.tsx'
import { Duration, Time } from '../../ui/time.tsx'
import { WorkloadPage } from '../../objects/workload-page.tsx'
import { RestartDialog, ScaleDialog } from './dialogs.tsx'
import { Way } from './way.tsx'

const EVERY_MS = 2 * SECOND_MS

/** A Workload at a glance: what serves, how it is reached, what is under way. */
export default function WorkloadOverviewPage() {
  const { text } = useText()
  const go = useGo()
  const { workload: id } = useRouteParams<'workload'>()
  const [open, setOpen] = useState<'restart' | 'scale'>()
  return (
    <WorkloadPage
      id={id}
      command={(name) => `workload show ${name}`}
      actions={
        <>
          <Act does="scaleWorkload" where={{ workload: id }} onClick={() => setOpen('scale')}>
            {text('workload.scale')}
          </Act>
          <Act does="restartWorkload" where={{ workload: id }} onClick={() => setOpen('restart')}>
            {text('workload.restart')}
          </Act>
          <Act
            does="startRelease"
            where={{ workload: id }}
            type="primary"
            onClick={() => go(pathTo('startRelease', { workload: id }))}
          >
            {text('release.start')}
          </Act>
        </>
      }
    >
      {(workload) => (
        <>
          <Overview workload={workload} />
          {open === 'restart' && <RestartDialog workload={workload} close={() => setOpen(undefined)} />}
          {open === 'scale' && <ScaleDialog workload={workload} close={() => setOpen(undefined)} />}
        </>
      )}
    </WorkloadPage>
  )
}

function Overview({ workload }: { readonly workload: Workload }) {
  const { text } = useText()
  const states = useAnswer(
    'searchWorkloads',
    { application: workload.applicationId, environment: workload.environmentId, limit: 1 },
    { everyMs: EVERY_MS },
  )
  const instances = useAnswer('listInstances', { workload: workload.id, limit: 200 }, { everyMs: EVERY_MS })
  return (
    <Loaded of={states}>
      {({ items: [state] }) => (
        <>
          {state?.active && <UnderWay active={state.active} />}
          <Panel title={text('workload.way')}>
            <Way workload={workload} state={state} instances={instances.data?.items ?? []} />
          </Panel>
          <div className="columns">
            <Serving state={state} name={workload.name} />
            <Place workload={workload} />
          </div>
        </>
      )}
    </Loaded>
  )
}

function UnderWay({ active }: { readonly active: NonNullable<WorkloadState['active']> }) {
  const { text } = useText()
  return (
    <div className="under-way">
      <ReleaseStatus state={active.state} paused={active.paused} />
      <ReleaseLink id={active.id} number={active.number} />
      <span>{text('release.batch', { number: Math.min(active.batch + 1, active.batches) })}</span>
      <span>{text('release.trafficNew', { weight: active.weight })}</span>
      <Duration from={active.createdAt} until={null} />
    </div>
  )
}

type ServingProps = { readonly state: WorkloadState | undefined; readonly name: string }

function Serving({ state, name }: ServingProps) {
  const { text } = useText()
  const serving = state?.serving
  return (
    <Panel title={text('workload.serving')}>
      {serving ? (
        <Facts
          rows={[
            [text('release.number'), <ReleaseLink key="link" id={serving.id} number={serving.number} />],
            [
              text('release.image'),
              <Code key="image" value={serving.image} shown={shortDigest(serving.image)} />,
            ],
            [text('release.who'), serving.createdBy],
            [text('common.since'), <Time key="since" at={serving.endedAt ?? serving.createdAt} />],
          ]}
        />
      ) : (
        <Empty command={`release start ${name} --image <image>`}>{text('workload.servingNone')}</Empty>
      )}
    </Panel>
  )
}

function Place({ workload }: { readonly workload: Workload }) {
  const { text } = useText()
  const format = useFormat()
  const cluster = useAnswer('getCluster', { cluster: workload.clusterId })
  return (
    <Panel title={text('workload.address')}>
      <Facts
        rows={[
          [
            text('workload.address'),
            <ul key="urls">
              {workload.urls.map((url) => (
                <li key={url}>
                  <Out href={url}>{url}</Out>
                </li>
              ))}
            </ul>,
          ],
          [text('workload.cluster'), cluster.data?.name ?? workload.clusterId],
          [text('workload.namespace'), <code key="namespace">{workload.namespace}</code>],
          [text('workload.config'), <span key="config">{workload.configRevision}</span>],
          [text('workload.keep'), format.duration(workload.keepSeconds * SECOND_MS)],
        ]}
      />
    </Panel>
  )
}
