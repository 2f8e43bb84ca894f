import type { NodeDetail, NodeShare } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'
import { useState } from 'react'

import { useAnswer, useChange } from '../../data/queries.ts'
import { useAmounts } from '../../objects/amounts.tsx'
import { Act, Allowed, useLack } from '../../objects/may.tsx'
import { NodeStatus, Tenants } from '../../objects/node.tsx'
import { useFormat } from '../../preferences/format.ts'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useRouteParams } from '../../routes/use.ts'
import { Go } from '../../ui/go.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Facts, Page, Panel } from '../../ui/page.tsx'
import { Refusal } from '../../ui/refusal.tsx'
import { DrainDialog } from './drain-dialog.tsx'
import { Evacuations } from './evacuations.tsx'
import './node.css'

const EVERY_MS = 10 * SECOND_MS

/** A node: what it has, which Projects take how much of it, and everything that runs there. */
export default function NodePage() {
  const { text } = useText()
  const { cluster: id, node: name } = useRouteParams<'node'>()
  const cluster = useAnswer('getCluster', { cluster: id })
  const slug = cluster.data?.slug ?? id
  return (
    <Page
      title={name}
      trail={[
        { label: text('cluster.list'), to: pathTo('clusters') },
        { label: cluster.data?.name ?? '', to: pathTo('cluster', { cluster: id }) },
      ]}
      beside={<Standing cluster={id} name={name} />}
      actions={<Actions cluster={id} slug={slug} name={name} />}
      command={`node show ${slug} ${name}`}
    >
      <Allowed does="getNode">
        <NodeView cluster={id} slug={slug} name={name} />
      </Allowed>
    </Page>
  )
}

type ViewProps = { readonly cluster: string; readonly slug: string; readonly name: string }

/** The node, for those who may look at it. */
function useNode({ cluster, name }: Pick<ViewProps, 'cluster' | 'name'>) {
  const isHidden = useLack('getNode') !== undefined
  return useAnswer('getNode', { cluster, node: name }, { enabled: !isHidden, everyMs: EVERY_MS })
}

function Standing(place: Pick<ViewProps, 'cluster' | 'name'>) {
  const node = useNode(place)
  return node.data ? <NodeStatus node={node.data} /> : null
}

function Actions({ cluster, slug, name }: ViewProps) {
  const { text } = useText()
  const [isDraining, setDraining] = useState(false)
  const node = useNode({ cluster, name })
  const change = useChange('updateNode')
  if (!node.data) return null
  const { schedulable } = node.data
  return (
    <>
      <Act
        does="updateNode"
        loading={change.isPending}
        onClick={() => change.mutate({ cluster, node: name, schedulable: !schedulable })}
      >
        {text(schedulable ? 'drain.cordon' : 'drain.uncordon')}
      </Act>
      <Act does="startDrain" danger onClick={() => setDraining(true)}>
        {text('drain.start')}
      </Act>
      <Refusal error={change.error} />
      {isDraining && (
        <DrainDialog cluster={cluster} slug={slug} node={name} close={() => setDraining(false)} />
      )}
    </>
  )
}

function NodeView({ cluster, slug, name }: ViewProps) {
  const { text } = useText()
  const node = useNode({ cluster, name })
  return (
    <Loaded of={node}>
      {(one) => (
        <>
          <div className="columns">
            <About node={one} />
            <Shares shares={one.shares} />
          </div>
          <Evacuations cluster={cluster} node={name} />
          <Panel title={text('node.tenants')} isFlush>
            <Tenants
              label={text('node.tenants')}
              tenants={one.tenants}
              command={`node show ${slug} ${name}`}
            />
          </Panel>
        </>
      )}
    </Loaded>
  )
}

function About({ node }: { readonly node: NodeDetail }) {
  const { text } = useText()
  const format = useFormat()
  const { capacity, tenants, labels } = node
  const amounts = useAmounts(node)
  return (
    <Panel title={text('cluster.overview')}>
      <Facts
        rows={[
          ...amounts,
          [
            text('cluster.instances'),
            text('node.places', {
              count: format.number(tenants.length),
              total: format.number(capacity.instancesMax),
            }),
          ],
          [text('cluster.addresses'), <code key="addresses">{node.addresses.join(' ')}</code>],
          [text('cluster.kubelet'), <code key="kubelet">{node.kubeletVersion}</code>],
          [
            text('cluster.labels'),
            <ul key="labels" className="node-labels">
              {Object.entries(labels).map(([label, value]) => (
                <li key={label}>
                  <code>{value === '' ? label : `${label}=${value}`}</code>
                </li>
              ))}
            </ul>,
          ],
        ]}
      />
    </Panel>
  )
}

const WHOLE_PERCENT = 100

/** Who has how much of the node, Project by Project. */
function Shares({ shares }: { readonly shares: readonly NodeShare[] }) {
  const { text } = useText()
  const format = useFormat()
  return (
    <Panel title={text('node.shares')} isFlush>
      <div className="scroll-x">
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">{text('application.project')}</th>
              <th scope="col">{text('node.share')}</th>
              <th scope="col">{text('cluster.instances')}</th>
              <th scope="col">{text('instance.cpu')}</th>
              <th scope="col">{text('instance.memory')}</th>
            </tr>
          </thead>
          <tbody>
            {shares.map(({ project, instances, requested, use, share }) => {
              const percent = Math.round(share * WHOLE_PERCENT)
              const taken = use ?? requested
              const name = project === null ? text('node.without') : project.slug
              return (
                <tr key={project?.id ?? ''}>
                  <td>
                    {project === null ? (
                      <span className="soft">{name}</span>
                    ) : (
                      <Go to={pathTo('project', { project: project.id })}>{name}</Go>
                    )}
                  </td>
                  <td>
                    <span className="share">
                      <meter
                        aria-label={`${text('node.share')} ${name}`}
                        min={0}
                        max={WHOLE_PERCENT}
                        value={percent}
                      />
                      <span className="number">{percent} %</span>
                    </span>
                  </td>
                  <td className="number">{format.number(instances)}</td>
                  <td className="number">{format.cores(taken.cpuCores)}</td>
                  <td className="number">{format.bytes(taken.memoryBytes)}</td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </div>
      <p className="soft panel-note">{text('node.sharesText')}</p>
    </Panel>
  )
}
