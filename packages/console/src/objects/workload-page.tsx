import type { ReactNode } from 'react'

import type { Workload } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'

import { useAnswer } from '../data/queries.ts'
import { useText } from '../preferences/text.ts'
import { pathTo } from '../routes/path.ts'
import { Loaded } from '../ui/loaded.tsx'
import { Page } from '../ui/page.tsx'
import { Tabs } from '../ui/tabs.tsx'
import { HealthStatus, useApplicationTrail } from './workload.tsx'

type WorkloadPageProps = {
  readonly id: string
  readonly command: (name: string) => string
  readonly actions?: ReactNode
  readonly children: (workload: Workload) => ReactNode
}

/** The head that all pages of a Workload share: its name, its health, its tabs. */
export function WorkloadPage({ id, command, actions, children }: WorkloadPageProps) {
  const workload = useAnswer('getWorkload', { workload: id })
  return (
    <Loaded of={workload}>
      {(one) => (
        <Head workload={one} command={command(one.name)} actions={actions}>
          {children(one)}
        </Head>
      )}
    </Loaded>
  )
}

type HeadProps = {
  readonly workload: Workload
  readonly command: string
  readonly actions: ReactNode
  readonly children: ReactNode
}

function Head({ workload, command, actions, children }: HeadProps) {
  const { text } = useText()
  const trail = useApplicationTrail(workload.applicationId)
  const { data } = useAnswer(
    'searchWorkloads',
    { application: workload.applicationId, environment: workload.environmentId, limit: 1 },
    { everyMs: 2 * SECOND_MS },
  )
  const health = data?.items[0]?.health
  const params = { workload: workload.id }
  return (
    <Page
      title={workload.name}
      trail={trail}
      beside={health && <HealthStatus health={health} />}
      actions={actions}
      command={command}
      tabs={
        <Tabs
          label={workload.name}
          tabs={[
            { label: text('workload.overview'), to: pathTo('workload', params) },
            { label: text('workload.releases'), to: pathTo('workloadReleases', params) },
            { label: text('workload.instances'), to: pathTo('workloadInstances', params) },
            { label: text('log.title'), to: pathTo('workloadLogs', params) },
            { label: text('terminal.title'), to: pathTo('workloadTerminal', params) },
            { label: text('variable.title'), to: pathTo('workloadVariables', params) },
            { label: text('setting.title'), to: pathTo('workloadSettings', params) },
            { label: text('yaml.tab'), to: pathTo('workloadYaml', params) },
          ]}
        />
      }
    >
      {children}
    </Page>
  )
}
