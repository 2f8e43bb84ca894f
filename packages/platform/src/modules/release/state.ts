import { must } from '@slipway/kit'

import type { ControlContext } from '../../control/index.ts'
import type { Db } from '../../tables.ts'
import {
  findConfigRevision,
  findWorkload,
  openVariables,
  type Variable,
  type Workload,
} from '../app/index.ts'
import type { Head, Release } from './model.ts'
import type { Health } from './overview/model.ts'
import { findHealth } from './overview/queries.ts'
import * as queries from './queries.ts'

/** Everything the database says about a Workload's rollout. */
export type State = {
  readonly workload: Workload
  readonly head: Head | undefined
  readonly active: Release | undefined
  readonly serving: Release | undefined
  readonly retained: Release | undefined
  /** How it was when somebody looked last. */
  readonly health: Health | undefined
  readonly variables: ReadonlyMap<number, readonly Variable[]>
}

export async function readState(
  db: Db,
  context: ControlContext,
  workloadId: string,
): Promise<State | undefined> {
  const workload = await findWorkload(db, workloadId)
  if (!workload) return undefined
  const head = await queries.findHead(db, workloadId)
  const active = await queries.findActive(db, workloadId)
  const find = async (id: string | null | undefined): Promise<Release | undefined> =>
    id ? queries.findRelease(db, id) : undefined
  const serving = await find(head?.servingId)
  const keeps =
    head?.retainedUntil !== null &&
    head?.retainedUntil !== undefined &&
    head.retainedUntil > context.clock.now()
  const retained = keeps ? await find(head.retainedId) : undefined
  const revisions = new Set(
    [active, serving, retained].flatMap((release) => (release ? [release.configRevision] : [])),
  )
  const variables = new Map<number, readonly Variable[]>()
  for (const revision of revisions) {
    const found = must(
      await findConfigRevision(db, workloadId, revision),
      'a release pins a revision that exists',
    )
    variables.set(revision, openVariables(context.envelope, found))
  }
  const health = await findHealth(db, workloadId)
  return { workload, head, active, serving, retained, health, variables }
}
