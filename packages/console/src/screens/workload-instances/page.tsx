import { useState } from 'react'

import type { Instance } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'
import { instanceText } from '@slipway/messages'

import { useRows } from '../../data/queries.ts'
import { BulkDialog } from '../../objects/bulk/bulk-dialog.tsx'
import { BulkBar, useSelectColumn, useSelection } from '../../objects/bulk/selection.tsx'
import { shortName } from '../../objects/instance-name.ts'
import { InstanceLink, InstanceStatus } from '../../objects/instance.tsx'
import { RestartInstance } from '../../objects/restart-instance.tsx'
import { WorkloadPage } from '../../objects/workload-page.tsx'
import { Guarded, GuardedGo, useLack } from '../../objects/may.tsx'
import { useFormat } from '../../preferences/format.ts'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo, useRouteParams, useRouteSearch } from '../../routes/use.ts'
import { Go } from '../../ui/go.tsx'
import { Grid, type Column } from '../../ui/grid/grid.tsx'
import { buttonsWidth } from '../../ui/grid/width.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Panel } from '../../ui/page.tsx'
import { Time } from '../../ui/time.tsx'

const EVERY_MS = 2 * SECOND_MS

/** The Instances of a Workload: where each runs, how it is, and why. */
export default function WorkloadInstancesPage() {
  const { text } = useText()
  const { workload: id } = useRouteParams<'workloadInstances'>()
  const go = useGo()
  const [search] = useRouteSearch()
  const process = /^[a-z][a-z0-9-]{0,19}$/u.test(search['process'] ?? '') ? search['process'] : undefined
  const [restarting, setRestarting] = useState<Instance>()
  const instances = useRows(
    'listInstances',
    { workload: id, limit: 200, ...(process === undefined ? {} : { process }) },
    { everyMs: EVERY_MS },
  )
  const selection = useSelection<Instance>((instance) => instance.id)
  const [isBulk, setBulk] = useState(false)
  const restartLack = useLack('restartInstance', { workload: id })
  const columns = [
    useSelectColumn(selection, (instance) => shortName(instance.id)),
    ...useColumns(id, setRestarting),
  ]
  return (
    <WorkloadPage id={id} command={(name) => `instance list ${name}`}>
      {({ name }) => (
        <>
          <Panel title={text('workload.instances')} isFlush>
            <Loaded of={{ ...instances, data: instances.rows }}>
              {(rows) => (
                <>
                  <BulkBar selection={selection} of={{ ...instances, rows }}>
                    <Guarded lack={restartLack} size="small" onClick={() => setBulk(true)}>
                      {text('workload.restart')}
                    </Guarded>
                  </BulkBar>
                  <Grid
                    label={text('workload.instances')}
                    of={{ ...instances, rows }}
                    keyOf={(instance) => instance.id}
                    columns={columns}
                    open={(instance) => go(pathTo('instance', { instance: instance.id }))}
                    empty={<Empty command={`workload scale ${name} 1`}>{text('workload.noInstances')}</Empty>}
                  />
                </>
              )}
            </Loaded>
          </Panel>
          {isBulk && (
            <BulkDialog
              title={text('instance.restartMany', { count: selection.rows.length })}
              explanation={text('instance.restartText')}
              confirm={text('workload.restart')}
              operation="restartInstance"
              items={selection.rows.map((one) => ({
                key: one.id,
                name: one.name,
                request: { instance: one.id },
              }))}
              command="instance restart <instance>"
              close={() => setBulk(false)}
              done={selection.clear}
            />
          )}
          {restarting && <RestartInstance instance={restarting} close={() => setRestarting(undefined)} />}
        </>
      )}
    </WorkloadPage>
  )
}

function useColumns(workload: string, restart: (instance: Instance) => void): readonly Column<Instance>[] {
  const shellLack = useLack('openTerminal', { workload })
  const restartLack = useLack('restartInstance', { workload })
  const { text, language } = useText()
  const format = useFormat()
  return [
    {
      id: 'name',
      title: text('instance.name'),
      width: 'minmax(96px, 1fr)',
      cell: ({ id, name }) => <InstanceLink id={id} name={name} />,
    },
    {
      id: 'state',
      title: text('common.state'),
      width: 'minmax(92px, 1fr)',
      cell: ({ state }) => <InstanceStatus state={state} />,
    },
    {
      id: 'process',
      title: text('instance.process'),
      width: '72px',
      cell: ({ process }) => <code>{process}</code>,
    },
    {
      id: 'release',
      title: text('instance.release'),
      width: '72px',
      isNumber: true,
      cell: ({ releaseNumber }) => releaseNumber ?? '',
    },
    {
      id: 'restarts',
      title: text('instance.restarts'),
      width: '76px',
      isNumber: true,
      cell: ({ restarts }) => restarts,
    },
    {
      id: 'cpu',
      title: text('instance.cpu'),
      width: '60px',
      isNumber: true,
      cell: ({ use }) => (use ? format.cores(use.cpuCores) : '–'),
    },
    {
      id: 'memory',
      title: text('instance.memory'),
      width: '90px',
      isNumber: true,
      cell: ({ use }) => (use ? format.bytes(use.memoryBytes) : '–'),
    },
    { id: 'node', title: text('instance.node'), width: 'minmax(72px, 1fr)', cell: ({ node }) => node },
    { id: 'since', title: text('common.since'), width: '96px', cell: ({ since }) => <Time at={since} /> },
    {
      id: 'why',
      title: text('instance.why'),
      width: 'minmax(80px, 2fr)',
      cell: ({ why }) =>
        why && (
          <span title={instanceText(language, why.code, why.params)}>
            {instanceText(language, why.code, why.params)}
          </span>
        ),
    },
    {
      id: 'actions',
      title: text('common.actions'),
      isTitleHidden: true,
      width: buttonsWidth([text('instance.logs'), text('instance.shell'), text('workload.restart')]),
      cell: (instance) => {
        const params = { workload: instance.workloadId }
        return (
          <span className="row-actions">
            <Go to={pathTo('workloadLogs', params, { instance: instance.id })}>{text('instance.logs')}</Go>
            <GuardedGo
              lack={shellLack}
              to={pathTo('workloadTerminal', params, { instance: instance.id, open: 'true' })}
            >
              {text('instance.shell')}
            </GuardedGo>
            <Guarded lack={restartLack} type="text" size="small" onClick={() => restart(instance)}>
              {text('workload.restart')}
            </Guarded>
          </span>
        )
      },
    },
  ]
}
