import { createHash, randomBytes } from 'node:crypto'

import { serialQueue, systemClock } from '@slipway/kit'

import { checksumsOf } from '../checksum.ts'
import { connectClient, quoteName } from '../connect.ts'
import { silentLog } from '../log.ts'
import { migrate } from '../migrate.ts'
import type { Migration } from '../migrate.ts'
import { askForServer } from './shared-server.ts'
import { startTestServer } from './test-server.ts'
import type { RunningTestServer, TestServer } from './test-server.ts'

export type TestDatabase = AsyncDisposable & {
  readonly ownerUrl: string
  readonly appUrl: string
  /** For what a test has to break or to look at from outside. */
  readonly superuserUrl: string
}

/**
 * A fresh database with `migrations` applied, for one test file. Migrations run once per run and list; each database is a
 * copy of the result. Dispose to drop it, with all its connections.
 */
export async function testDatabase(
  options: { readonly migrations?: readonly Migration[] } = {},
): Promise<TestDatabase> {
  const lease = await leaseServer()
  const { server } = lease
  const name = `test_${randomBytes(8).toString('hex')}`
  await asSuperuser(server, async (query) => {
    const template = await ensureTemplate(server, query, options.migrations ?? [])
    await createDatabase(query, name, template)
  })
  return {
    ownerUrl: `${server.owner}/${name}`,
    appUrl: `${server.app}/${name}`,
    superuserUrl: `${server.superuser}/${name}`,
    async [Symbol.asyncDispose]() {
      await asSuperuser(server, (query) => query(`drop database if exists ${quoteName(name)} with (force)`))
      await lease[Symbol.asyncDispose]()
    },
  }
}

type Query = (text: string, values?: readonly unknown[]) => Promise<number>

async function asSuperuser<T>(server: TestServer, work: (query: Query) => Promise<T>): Promise<T> {
  await using client = await connectClient({ url: `${server.superuser}/postgres`, name: 'test' })
  return await work(async (text, values) => (await client.query(text, [...(values ?? [])])).rowCount ?? 0)
}

/** A database with the migrations applied, made by the first who needs it; the others wait at an advisory lock. */
async function ensureTemplate(
  server: TestServer,
  query: Query,
  migrations: readonly Migration[],
): Promise<string> {
  const checksums = [...(await checksumsOf(migrations)).entries()]
  const name = `template_${createHash('sha256').update(JSON.stringify(checksums)).digest('hex').slice(0, 24)}`
  await query('select pg_advisory_lock(hashtext($1))', [name])
  const known = await query('select from pg_database where datname = $1', [name])
  if (known > 0) return name
  const unfinished = `${name}_new`
  await query(`drop database if exists ${quoteName(unfinished)} with (force)`)
  await createDatabase(query, unfinished, 'template1')
  if (migrations.length > 0)
    await migrate({
      ownerUrl: `${server.owner}/${unfinished}`,
      migrations,
      version: 'test',
      clock: systemClock,
      log: silentLog,
    })
  await query(`alter database ${quoteName(unfinished)} rename to ${quoteName(name)}`)
  return name
}

/** What is granted on a database is not copied from its template. */
async function createDatabase(query: Query, name: string, template: string): Promise<void> {
  await query(`create database ${quoteName(name)} owner slipway_owner template ${quoteName(template)}`)
  await query(`revoke all on database ${quoteName(name)} from public`)
  await query(`grant connect on database ${quoteName(name)} to slipway_app`)
}

type Lease = AsyncDisposable & { readonly server: TestServer }

const queue = serialQueue()
let own: { readonly running: RunningTestServer; users: number } | undefined

/** The run's server where there is one; otherwise one of this process, which ends with its last database. */
async function leaseServer(): Promise<Lease> {
  const server = await askForServer()
  if (server) return { server, [Symbol.asyncDispose]: () => Promise.resolve() }
  return await queue.run(async () => {
    own ??= { running: await startTestServer(), users: 0 }
    own.users += 1
    return { server: own.running.server, [Symbol.asyncDispose]: () => queue.run(giveBack) }
  })
}

async function giveBack(): Promise<void> {
  if (!own) return
  own.users -= 1
  if (own.users > 0) return
  const { running } = own
  own = undefined
  await running[Symbol.asyncDispose]()
}
