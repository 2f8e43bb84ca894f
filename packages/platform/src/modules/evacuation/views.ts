import type * as views from '@slipway/contract'

import { placeView } from '../app/index.ts'
import type { Why } from './model.ts'
import type { Effect, Preview, SeenEvacuation, SeenMove } from './service.ts'

const whyView = (why: Why | null) => why && { code: why.code, params: { ...why.params } }

export function evacuationView({ evacuation, moves }: SeenEvacuation): views.Evacuation {
  const {
    startedAt,
    deadlineAt,
    nodeBackAt,
    endedAt,
    problem,
    generation: _,
    uncordon: __,
    ...shown
  } = evacuation
  const count = (state: views.MoveState): number => moves.filter((move) => move.state === state).length
  return {
    ...shown,
    problem: whyView(problem),
    startedAt: startedAt.toISOString(),
    deadlineAt: deadlineAt?.toISOString() ?? null,
    nodeBackAt: nodeBackAt?.toISOString() ?? null,
    endedAt: endedAt?.toISOString() ?? null,
    counts: {
      Waiting: count('Waiting'),
      Leaving: count('Leaving'),
      Moved: count('Moved'),
      Stayed: count('Stayed'),
      Gone: count('Gone'),
    },
  }
}

export function detailView(seen: SeenEvacuation): views.EvacuationDetail {
  return { ...evacuationView(seen), moves: seen.moves.map(moveView) }
}

function moveView(move: SeenMove): views.Move {
  return {
    workload: placeView(move.place),
    process: move.process,
    version: move.version,
    instance: move.pod,
    state: move.state,
    since: move.changedAt.toISOString(),
    why: whyView(move.why),
    toInstance: move.toPod,
    toNode: move.toNode,
  }
}

export function previewView({ sight, otherNodes, effects, builds, others }: Preview): views.DrainPreview {
  const { name: node, schedulable } = sight
  return { node, schedulable, otherNodes, effects: effects.map(effectView), builds, others }
}

function effectView(effect: Effect): views.DrainEffect {
  const { process, version, instances, ready, wanted, interrupted } = effect
  const workload = placeView(effect.place)
  return { workload, process, version, instances, ready, wanted, interrupted, why: whyView(effect.why) }
}
