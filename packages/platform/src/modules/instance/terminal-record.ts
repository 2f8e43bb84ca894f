import type { contract } from '@slipway/contract'

import type { Describe } from '../../http/routes.ts'
import { findConfigRevision, findWorkload, openVariables } from '../app/index.ts'
import { maskedCommand } from './mask.ts'
import { partsOfInstance } from './model.ts'

/**
 * What the audit keeps of a command in an Instance: which one, in which container, with the keyboard or without. What is typed
 * into a shell is not seen here. `session` is the id by which the log of the platform knows the connection.
 */
export const describeTerminal: Describe<typeof contract.openTerminal> = async (
  { params, query },
  { db, platform, requestId },
) => {
  const { command, container = null } = query
  const { workloadId } = partsOfInstance(params.instance)
  const workload = await findWorkload(db, workloadId)
  const revision = workload && (await findConfigRevision(db, workloadId, workload.configRevision))
  const variables = revision === undefined ? [] : openVariables(platform.envelope, revision)
  const secrets = variables.filter(({ secret }) => secret).map(({ value }) => value)
  return {
    session: requestId,
    container,
    // Null: a shell.
    command: command === undefined ? null : maskedCommand([command].flat(), secrets),
    terminal: query.terminal === 'true',
    input: query.input === 'true',
  }
}
