import type { Kysely } from 'kysely'
import { sql } from 'kysely'

import { databaseErrors } from './errors.ts'

export const APPLICATION_ROLE = 'slipway_app'
export const SYSTEM_ROLE = 'slipway_system'

type Facts = {
  readonly name: string
  readonly superuser: boolean
  readonly bypass: boolean
  readonly creates_roles: boolean
  readonly owned: number
  readonly owns_database: boolean
  readonly application: boolean
  readonly system: boolean
  readonly inherits: boolean
}

/**
 * Refuses a login that row-level security would not bind: superuser, BYPASSRLS, owner of a table or of the database,
 * or one that has the system role's power without taking it.
 * @throws {AppError} `database_role_unsafe`, `database_roles_missing`
 */
export async function checkApplicationRole<Tables>(kysely: Kysely<Tables>): Promise<void> {
  const { rows } = await sql<Facts>`
    select r.rolname as name, r.rolsuper as superuser, r.rolbypassrls as bypass, r.rolcreaterole as creates_roles,
      (select count(*) from pg_class c where c.relkind in ('r', 'p')
        and c.relnamespace = 'public'::regnamespace and pg_has_role(r.oid, c.relowner, 'member')) as owned,
      (select pg_has_role(r.oid, d.datdba, 'member') from pg_database d where d.datname = current_database())
        as owns_database,
      exists (select from pg_roles a where a.rolname = ${APPLICATION_ROLE}
        and pg_has_role(r.oid, a.oid, 'usage')) as application,
      exists (select from pg_roles s where s.rolname = ${SYSTEM_ROLE} and pg_has_role(r.oid, s.oid, 'set')) as system,
      exists (select from pg_roles s where s.rolname = ${SYSTEM_ROLE} and pg_has_role(r.oid, s.oid, 'usage')) as inherits
    from pg_roles r where r.rolname = current_user`.execute(kysely)
  const facts = rows[0]
  if (!facts) throw databaseErrors.database_roles_missing({ role: APPLICATION_ROLE })
  const reason = unsafeReasonOf(facts)
  if (reason !== undefined) throw databaseErrors.database_role_unsafe({ role: facts.name, reason })
  if (!facts.application) throw databaseErrors.database_roles_missing({ role: APPLICATION_ROLE })
  if (!facts.system) throw databaseErrors.database_roles_missing({ role: SYSTEM_ROLE })
}

function unsafeReasonOf(facts: Facts): string | undefined {
  if (facts.superuser) return 'SUPERUSER'
  if (facts.bypass) return 'BYPASSRLS'
  if (facts.creates_roles) return 'CREATEROLE'
  if (facts.owned > 0 || facts.owns_database) return 'OWNER'
  if (facts.inherits) return `INHERIT ${SYSTEM_ROLE}`
  return undefined
}
