import { Button } from 'antd'
import { useState } from 'react'

import type { Instance, InstanceEvent } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'
import { instanceText } from '@slipway/messages'

import { useAnswer, useRows } from '../../data/queries.ts'
import { InstanceStatus } from '../../objects/instance.tsx'
import { RestartInstance } from '../../objects/restart-instance.tsx'
import { useWorkloadTrail } from '../../objects/workload.tsx'
import { Act } from '../../objects/may.tsx'
import { useFormat } from '../../preferences/format.ts'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo, useRouteParams } from '../../routes/use.ts'
import { Grid, type Column } from '../../ui/grid/grid.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Facts, Page, Panel } from '../../ui/page.tsx'
import { Status } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'
import { Neighbours, NodeName } from './neighbours.tsx'

const EVERY_MS = 2 * SECOND_MS

/** One Instance: how it is and why, where it runs, what it uses, and what its Cluster reports. */
export default function InstancePage() {
  const { text } = useText()
  const go = useGo()
  const { instance: id } = useRouteParams<'instance'>()
  const [isOpen, setOpen] = useState(false)
  const instance = useAnswer('getInstance', { instance: id }, { everyMs: EVERY_MS })
  const workload = useAnswer('getWorkload', { workload: id.split('.')[0] ?? '' })
  const trail = useWorkloadTrail(workload.data)
  return (
    <Loaded of={instance}>
      {(one) => (
        <Page
          title={one.name}
          trail={trail}
          beside={<InstanceStatus state={one.state} />}
          command={`instance show ${id}`}
          actions={
            <>
              <Button
                onClick={() => go(pathTo('workloadLogs', { workload: one.workloadId }, { instance: id }))}
              >
                {text('instance.logs')}
              </Button>
              <Act
                does="openTerminal"
                where={{ workload: one.workloadId }}
                onClick={() =>
                  go(pathTo('workloadTerminal', { workload: one.workloadId }, { instance: id, open: 'true' }))
                }
              >
                {text('instance.shell')}
              </Act>
              <Act
                does="restartInstance"
                where={{ workload: one.workloadId }}
                danger
                onClick={() => setOpen(true)}
              >
                {text('workload.restart')}
              </Act>
            </>
          }
        >
          <Overview instance={one} />
          <Neighbours instance={one} />
          <Events id={id} />
          {isOpen && <RestartInstance instance={one} close={() => setOpen(false)} />}
        </Page>
      )}
    </Loaded>
  )
}

function Overview({ instance }: { readonly instance: Instance }) {
  const { text, language } = useText()
  const format = useFormat()
  const { why, resources, use, ports } = instance
  const amounts = (parts: readonly (string | false | null)[]): string =>
    parts.filter((part) => typeof part === 'string').join(', ')
  return (
    <div className="columns">
      <Panel title={text('common.state')}>
        <Facts
          rows={[
            [text('common.state'), <InstanceStatus key="state" state={instance.state} />],
            [text('common.since'), <Time key="since" at={instance.since} />],
            [text('instance.why'), why ? instanceText(language, why.code, why.params) : '–'],
            [text('instance.restarts'), format.number(instance.restarts)],
            [text('instance.started'), <Time key="made" at={instance.createdAt} />],
            [text('instance.release'), instance.releaseNumber ?? '–'],
            [text('instance.version'), <code key="version">{instance.version}</code>],
          ]}
        />
      </Panel>
      <Panel title={text('instance.place')}>
        <Facts
          rows={[
            [text('instance.node'), <NodeName key="node" instance={instance} />],
            [text('instance.address'), <code key="address">{instance.address ?? '–'}</code>],
            [text('instance.ports'), portsText(ports)],
            [text('instance.process'), <code key="process">{instance.process}</code>],
            [text('instance.containers'), <code key="containers">{instance.containers.join(' ')}</code>],
            [
              text('instance.cpu'),
              amounts([
                use && text('instance.uses', { value: format.cores(use.cpuCores) }),
                resources.cpuCores !== null &&
                  text('instance.asked', { value: format.cores(resources.cpuCores) }),
              ]),
            ],
            [
              text('instance.memory'),
              amounts([
                use && text('instance.uses', { value: format.bytes(use.memoryBytes) }),
                resources.memoryBytes !== null &&
                  text('instance.asked', { value: format.bytes(resources.memoryBytes) }),
                resources.memoryLimitBytes !== null &&
                  text('instance.limit', { value: format.bytes(resources.memoryLimitBytes) }),
              ]),
            ],
          ]}
        />
      </Panel>
    </div>
  )
}

/** `8080`, or `8080 → 20013` where the container's port is reached at another one. */
function portsText(ports: Instance['ports']): string {
  const said = Object.entries(ports).map(([port, real]) =>
    port === String(real) ? port : `${port} → ${real}`,
  )
  return said.length === 0 ? '–' : said.join(', ')
}

function Events({ id }: { readonly id: string }) {
  const { text } = useText()
  const events = useRows('listInstanceEvents', { instance: id, limit: 100 }, { everyMs: EVERY_MS })
  const columns: readonly Column<InstanceEvent>[] = [
    { id: 'at', title: text('instance.eventAt'), width: '120px', cell: ({ lastAt }) => <Time at={lastAt} /> },
    {
      id: 'reason',
      title: text('instance.eventReason'),
      width: 'minmax(140px, 1fr)',
      cell: ({ type, reason }) => (
        <Status tone={type === 'Warning' ? 'warn' : 'idle'}>
          <code>{reason}</code>
        </Status>
      ),
    },
    {
      id: 'message',
      title: text('instance.eventText'),
      width: 'minmax(240px, 4fr)',
      // The Cluster's own words.
      cell: ({ message }) => (
        <span lang="en" title={message}>
          {message}
        </span>
      ),
    },
    {
      id: 'count',
      title: text('instance.count'),
      width: '100px',
      isNumber: true,
      cell: ({ count }) => count > 1 && text('instance.times', { count }),
    },
    {
      id: 'source',
      title: text('instance.eventSource'),
      width: '120px',
      cell: ({ source }) => <code>{source}</code>,
    },
  ]
  return (
    <Panel title={text('instance.events')} isFlush>
      <Loaded of={{ ...events, data: events.rows }}>
        {(rows) => (
          <Grid
            label={text('instance.events')}
            of={{ ...events, rows }}
            keyOf={({ reason, firstAt, message }) => `${reason} ${firstAt} ${message}`}
            columns={columns}
            empty={<Empty command={`instance events ${id}`}>{text('instance.eventsNone')}</Empty>}
          />
        )}
      </Loaded>
    </Panel>
  )
}
