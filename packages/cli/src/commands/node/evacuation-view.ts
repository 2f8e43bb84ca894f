import type { DrainEffect, Evacuation, EvacuationDetail, Move } from '@slipway/contract'
import { errorText } from '@slipway/messages'

import type { Deps } from '../../deps.ts'
import { timeCell, type View } from '../../output/table.ts'

type Why = Move['why']

const whyText = ({ language }: Deps, why: Why): string | null =>
  why && errorText(language, why.code, why.params)

/** `Moved 3, Waiting 2`: what there is none of is left out. */
function countsText(deps: Deps, { counts }: Evacuation): string {
  const states = ['Waiting', 'Leaving', 'Moved', 'Stayed', 'Gone'] as const
  return states
    .filter((state) => (counts[state] ?? 0) > 0)
    .map((state) => `${deps.text(`move.${state}`)} ${counts[state] ?? 0}`)
    .join(', ')
}

export function evacuationView(deps: Deps): View<Evacuation> {
  return {
    columns: [
      { title: 'column.id', value: ({ id }) => id },
      { title: 'column.node', value: ({ node }) => node },
      { title: 'column.kind', value: ({ kind }) => deps.text(`evacuation.${kind}`) },
      { title: 'column.state', value: ({ state }) => deps.text(`evacuation.${state}`) },
      { title: 'column.instances', value: (one) => countsText(deps, one) },
      { title: 'column.started', value: ({ startedAt }) => timeCell(startedAt) },
      { title: 'column.ended', value: ({ endedAt }) => endedAt && timeCell(endedAt) },
      { title: 'column.why', value: ({ problem }) => whyText(deps, problem) },
    ],
    name: ({ id }) => id,
  }
}

export function moveView(deps: Deps): View<Move> {
  return {
    columns: [
      { title: 'column.workload', value: ({ workload }) => workload.name },
      { title: 'column.process', value: ({ process }) => process },
      { title: 'column.instance', value: ({ instance }) => instance },
      { title: 'column.state', value: ({ state }) => deps.text(`move.${state}`) },
      { title: 'column.toNode', value: ({ toNode }) => toNode },
      { title: 'column.toInstance', value: ({ toInstance }) => toInstance },
      { title: 'column.since', value: ({ since }) => timeCell(since) },
      { title: 'column.why', value: ({ why }) => whyText(deps, why) },
    ],
    name: ({ instance }) => instance,
  }
}

export function effectView(deps: Deps): View<DrainEffect> {
  return {
    columns: [
      { title: 'column.workload', value: ({ workload }) => workload.name },
      { title: 'column.process', value: ({ process }) => process },
      { title: 'column.here', value: ({ instances }) => instances },
      { title: 'column.ready', value: ({ ready, wanted }) => `${ready}/${wanted}` },
      { title: 'column.interrupted', value: ({ interrupted }) => interrupted },
      { title: 'column.why', value: ({ why }) => whyText(deps, why) },
    ],
    name: ({ workload }) => workload.name,
  }
}

/** Where an evacuation stands, in one line; what holds it comes last. */
export function evacuationLine(deps: Deps, one: EvacuationDetail): string {
  const why = one.problem ?? one.moves.find((move) => move.why !== null)?.why ?? null
  const { node } = one
  const state = deps.text(`evacuation.${one.state}`)
  const line = deps.text('evacuation.line', { node, state, counts: countsText(deps, one) })
  return [line, whyText(deps, why)].filter((part) => part !== null).join('; ')
}
