import { connectClient, quoteName } from '../connect.ts'
import type { Passwords } from './passwords.ts'

export const DATABASE = 'slipway'

export function urlOf(user: string, password: string, port: number, database: string): string {
  return `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`
}

/**
 * The three roles and the database, made where they are missing; passwords are set anew each time, since the kept file may
 * be younger than the roles.
 *   slipway_owner   owns the database, migrates, backs up
 *   slipway_app     logs in for the platform; bound by row-level security
 *   slipway_system  sees every row; nobody logs in as it, the application takes it by SET LOCAL ROLE
 */
export async function ensureRoles(port: number, passwords: Passwords): Promise<void> {
  await using client = await connectClient({
    url: urlOf('postgres', passwords.superuser, port, 'postgres'),
    name: 'slipway setup',
  })
  const roles = await client.query<{ rolname: string }>(
    "select rolname from pg_roles where rolname like 'slipway\\_%'",
  )
  const known = new Set(roles.rows.map((row) => row.rolname))
  const safe = 'nosuperuser nocreatedb nocreaterole noreplication nobypassrls'
  for (const [name, attributes] of [
    ['slipway_owner', `login ${safe} password ${quoteLiteral(passwords.owner)}`],
    ['slipway_app', `login ${safe} password ${quoteLiteral(passwords.app)}`],
    ['slipway_system', `nologin ${safe}`],
  ] as const)
    await client.query(`${known.has(name) ? 'alter' : 'create'} role ${name} ${attributes}`)
  await client.query('grant slipway_system to slipway_app with inherit false, set true, admin false')

  const databases = await client.query('select from pg_database where datname = $1', [DATABASE])
  if (databases.rowCount === 0)
    await client.query(`create database ${quoteName(DATABASE)} owner slipway_owner`)
  await client.query(`revoke all on database ${quoteName(DATABASE)} from public`)
  await client.query(`grant connect on database ${quoteName(DATABASE)} to slipway_app`)
}

/** Statements about roles take no parameters. Only for secrets of our own making, which are base64url. */
function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
