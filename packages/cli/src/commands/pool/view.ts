import type { NodeLabel, Pool, PoolGuest, PoolNode, PoolRent } from '@slipway/contract'
import { errorText } from '@slipway/messages'

import type { Deps } from '../../deps.ts'
import { timeCell, type View } from '../../output/table.ts'

export function poolView(deps: Deps): View<Pool> {
  return {
    columns: [
      { title: 'column.slug', value: ({ slug }) => slug },
      { title: 'column.displayName', value: ({ name }) => name },
      { title: 'column.nodes', value: ({ nodes }) => nodes.length },
      { title: 'column.exclusive', value: ({ exclusive }) => exclusive },
      { title: 'column.rentedTo', value: ({ rent }) => rent && (rent.project?.slug ?? '•••') },
      { title: 'column.until', value: ({ rent }) => rent && timeCell(rent.until) },
      { title: 'column.state', value: ({ rent }) => rent && deps.text(`rent.${rent.state}`) },
      { title: 'column.selector', value: selectorText, wide: true },
      {
        title: 'column.why',
        value: ({ problem }) => problem && errorText(deps.language, problem.code, problem.params),
      },
      { title: 'column.cluster', value: ({ clusterId }) => clusterId, wide: true },
      { title: 'column.id', value: ({ id }) => id, wide: true },
      { title: 'column.created', value: ({ createdAt }) => timeCell(createdAt), wide: true },
    ],
    name: ({ slug }) => slug,
  }
}

/** `zone=a,disk=ssd` */
function selectorText({ selector }: Pool): string | null {
  return (
    selector &&
    Object.entries(selector)
      .map(([label, value]) => `${label}=${value}`)
      .join(',')
  )
}

export function poolNodeView(deps: Deps): View<PoolNode> {
  return {
    columns: [
      { title: 'column.node', value: ({ name }) => name },
      { title: 'column.by.way', value: ({ by }) => deps.text(`pool.by.${by}`) },
      { title: 'column.settled', value: ({ settled }) => settled },
    ],
    name: ({ name }) => name,
  }
}

export function rentView(deps: Deps): View<PoolRent> {
  return {
    columns: [
      { title: 'column.pool', value: ({ pool }) => pool.slug },
      { title: 'column.project', value: ({ project }) => project.slug },
      { title: 'column.state', value: ({ state }) => deps.text(`rent.${state}`) },
      { title: 'column.started', value: ({ from }) => timeCell(from) },
      { title: 'column.until', value: ({ until }) => timeCell(until) },
      { title: 'column.ended', value: ({ endedAt }) => endedAt && timeCell(endedAt) },
      { title: 'column.isDefault', value: ({ isDefault }) => isDefault },
      { title: 'column.comment', value: ({ comment }) => comment },
      { title: 'column.id', value: ({ id }) => id, wide: true },
    ],
    name: ({ id }) => id,
  }
}

export const guestView: View<PoolGuest> = {
  columns: [
    { title: 'column.workload', value: ({ workload }) => workload.name },
    { title: 'column.instances', value: ({ instances }) => instances },
    { title: 'column.nodes', value: ({ nodes }) => nodes.join(', ') },
    { title: 'column.stranger', value: ({ stranger }) => stranger },
  ],
  name: ({ workload }) => workload.name,
}

export const labelView: View<NodeLabel> = {
  columns: [
    { title: 'column.label', value: ({ label }) => label },
    {
      title: 'column.values',
      value: ({ values }) => values.map(({ value, nodes }) => `${value} (${nodes})`).join(', '),
    },
  ],
  name: ({ label }) => label,
}
