import type { Account, AuditNote, Ctx } from '../context.ts'
import type { ControlContext } from '../control/index.ts'
import { appendEvent, INSTALLATION_CHAIN } from '../modules/audit/index.ts'
import type { Db } from '../tables.ts'

/** Who acts when the platform itself does; no sign-in leads to it. */
const systemAccount: Account = {
  id: 'system',
  name: 'system',
  via: 'none',
  proof: '',
  access: {
    platformRoles: [],
    organizationRoles: new Map(),
    projectRoles: new Map(),
    visibleOrganizations: new Set(),
  },
}

export type SystemAct = {
  /** As the audit names it: `project.create`. */
  readonly action: string
  /** The Organization whose chain records it, when the use case does not say. */
  readonly organizationId?: string
  readonly projectId?: string
  /** What it is about, when the use case does not say: `<kind>:<id>`. */
  readonly target?: string
}

/** Runs one use case of a module as the system, inside a transaction, and records it as a request of a person would be. */
export async function actAsSystem<T>(
  context: ControlContext,
  db: Db,
  act: SystemAct,
  useCase: (ctx: Ctx) => Promise<T>,
): Promise<T> {
  const now = context.clock.now()
  const requestId = context.newId('req')
  const notes: AuditNote[] = []
  const result = await useCase({
    ...context,
    db,
    requestId,
    address: '',
    account: systemAccount,
    now,
    dryRun: false,
    read: (run) => run(db),
    countHit: () => Promise.resolve({ allowed: true, retryAfterSeconds: 0 }),
    note: (note) => void notes.push(note),
  })
  const note: AuditNote = Object.assign({}, ...notes)
  await appendEvent(context, db, {
    id: context.newId('aud'),
    at: now,
    actor: systemAccount.id,
    actorName: systemAccount.name,
    action: act.action,
    chain: note.organizationId ?? act.organizationId ?? INSTALLATION_CHAIN,
    target: note.target ?? act.target ?? '',
    projectId: note.projectId ?? act.projectId ?? null,
    outcome: 'success',
    code: null,
    requestId,
    address: '',
    detail: note.detail ?? {},
  })
  return result
}
