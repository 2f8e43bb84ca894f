import type { Instance, NodeLoad } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'

import { useAnswer } from '../../data/queries.ts'
import { useParts } from '../../objects/amounts.tsx'
import { useLack } from '../../objects/may.tsx'
import { NodeStatus, Tenants } from '../../objects/node.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { Go } from '../../ui/go.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Panel } from '../../ui/page.tsx'
import { Share } from '../../ui/share.tsx'

const EVERY_MS = 10 * SECOND_MS

type InstanceProps = { readonly instance: Instance }

/** The node of an Instance, as a link for those who may look at it. */
export function NodeName({ instance: { node, workloadId } }: InstanceProps) {
  const workload = useAnswer('getWorkload', { workload: workloadId })
  const lack = useLack('getNode')
  if (node === null) return '–'
  if (lack !== undefined || workload.data === undefined) return node
  return <Go to={pathTo('node', { cluster: workload.data.clusterId, node })}>{node}</Go>
}

/** Who shares the node of an Instance, and who takes most of it. */
export function Neighbours({ instance }: InstanceProps) {
  const { text } = useText()
  const around = useAnswer('getNeighbours', { instance: instance.id }, { everyMs: EVERY_MS })
  const command = `instance neighbours ${instance.id}`
  return (
    <Panel title={text('node.neighbours')} isFlush>
      <Loaded of={around}>
        {({ node, tenants }) =>
          node === null ? (
            <Empty command={command}>{text('node.none')}</Empty>
          ) : (
            <>
              <Load node={node} />
              <Tenants
                label={text('node.neighbours')}
                tenants={tenants}
                own={instance.id}
                command={command}
              />
            </>
          )
        }
      </Loaded>
    </Panel>
  )
}

function Load({ node }: { readonly node: NodeLoad }) {
  const { text } = useText()
  const parts = useParts()
  const taken = node.use ?? node.requested
  const said = node.use === null ? 'node.asked' : 'node.used'
  return (
    <p className="node-load">
      <code>{node.name}</code>
      <NodeStatus node={node} />
      {parts.map(({ key, what, shown }) => (
        <span key={key} className="node-part">
          <span className="soft">{text(said, { what })}</span>
          <Share label={text(said, { what })} part={taken[key]} whole={node.capacity[key]} shown={shown} />
        </span>
      ))}
    </p>
  )
}
