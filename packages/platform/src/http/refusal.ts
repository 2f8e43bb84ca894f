import type { Endpoint, Stream } from '@slipway/contract'
import { isRecord, type AppError } from '@slipway/kit'

import type { Account, Platform } from '../context.ts'
import { appendEvent, INSTALLATION_CHAIN, type AuditRecord } from '../modules/audit/index.ts'
import { scopeOf, type Target } from './authorize.ts'

/** What every event about a request says. */
export type CallRecord = Pick<
  AuditRecord,
  'id' | 'at' | 'actor' | 'actorName' | 'action' | 'requestId' | 'address'
>

export function callRecord(
  action: string,
  about: {
    readonly id: string
    readonly at: Date
    readonly account: Account
    readonly requestId: string
    readonly address: string
  },
): CallRecord {
  const { id, at, account, requestId, address } = about
  return { id, at, actor: account.id, actorName: account.name, action, requestId, address }
}

export type Refused = {
  readonly operation: Endpoint | Stream
  readonly params: unknown
  readonly target: Target
  readonly refusal: AppError
  readonly account: Account
  readonly request: { readonly id: string; readonly ip: string }
}

/**
 * Records what was refused or failed: every mutation, and every read of an object that the caller may not see. What a foreign
 * object is, is not known here, so such events go to the chain of the installation.
 */
export async function recordRefusal(platform: Platform, refused: Refused): Promise<void> {
  const { operation, target, refusal, account, request } = refused
  const isAccess =
    refusal.code === 'permission_missing' || (refusal.code === 'not_found' && target.target === '')
  if (operation.audit === undefined && !isAccess) return
  const record = callRecord(operation.audit ?? `read ${operation.path}`, {
    id: platform.newId('aud'),
    at: platform.clock.now(),
    account,
    requestId: request.id,
    address: request.ip,
  })
  await platform.database.transact(scopeOf(account), (db) =>
    appendEvent(platform, db, {
      ...record,
      chain: target.place.organizationId ?? INSTALLATION_CHAIN,
      target: target.target === '' ? refusedTargetOf(refused) : target.target,
      projectId: target.place.projectId,
      outcome: refusal.status >= 500 ? 'failed' : 'refused',
      code: refusal.code,
      detail: {},
    }),
  )
}

function refusedTargetOf({ operation, params }: Refused): string {
  const id = isRecord(params) && operation.scope !== undefined ? params[operation.scope] : undefined
  return typeof id === 'string' ? `${operation.scope}:${id}` : ''
}
