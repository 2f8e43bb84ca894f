import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { testDatabase } from '@slipway/db/testing'
import { newMasterKey } from '@slipway/kit'
import { checkSettings, migrations, startPlatform, type SettingsInput } from '@slipway/platform'

import { freePort } from './ports.ts'

export type Answer = {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

export type TestPlatform = AsyncDisposable & {
  readonly url: string
  readonly firstRunToken: string
  readonly appUrl: string
  readonly ownerUrl: string
  readonly superuserUrl: string
  /** One request, with a bearer secret if given; the body of the answer as JSON. */
  readonly call: (
    method: string,
    path: string,
    options?: {
      readonly secret?: string
      readonly body?: unknown
      readonly headers?: Readonly<Record<string, string>>
    },
  ) => Promise<Answer>
  /** Completes the first run; the bearer secret of the first operator. */
  readonly becomeOperator: () => Promise<string>
  /** Makes a user and signs them in. */
  readonly user: (operator: string, name: string) => Promise<{ readonly id: string; readonly secret: string }>
}

const PASSWORD = 'a long test password'

/** A whole platform with a database of its own, in this process. Dispose to end both. */
export async function testPlatform(
  settings: Partial<SettingsInput> = {},
  parts: Parameters<typeof startPlatform>[1] = {},
): Promise<TestPlatform> {
  await using cleanup = new AsyncDisposableStack()
  const database = cleanup.use(await testDatabase({ migrations }))
  const dataFolder = await mkdtemp(join(tmpdir(), 'slipway-test-'))
  cleanup.defer(() => rm(dataFolder, { recursive: true, force: true }))
  const platform = cleanup.use(
    await startPlatform(
      checkSettings({
        databaseUrl: database.appUrl,
        databaseOwnerUrl: database.ownerUrl,
        masterKey: newMasterKey().toString('base64'),
        port: await freePort(),
        dataFolder,
        soleReplica: 'true',
        logLevel: 'error',
        ...settings,
      }),
      parts,
    ),
  )
  const call: TestPlatform['call'] = (method, path, options) => callApi(platform.url, method, path, options)
  const owned = cleanup.move()
  return {
    url: platform.url,
    firstRunToken: platform.firstRunToken ?? '',
    appUrl: database.appUrl,
    ownerUrl: database.ownerUrl,
    superuserUrl: database.superuserUrl,
    call,
    async becomeOperator() {
      const answer = await call('POST', '/v1/first-run', {
        body: { token: platform.firstRunToken, name: 'admin', password: PASSWORD, delivery: 'bearer' },
      })
      return String(answer.body['secret'])
    },
    async user(operator, name) {
      const made = await call('POST', '/v1/users', { secret: operator, body: { name, password: PASSWORD } })
      const session = await call('POST', '/v1/sessions', {
        body: { name, password: PASSWORD, delivery: 'bearer' },
      })
      return { id: String(made.body['id']), secret: String(session.body['secret']) }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function callApi(
  url: string,
  method: string,
  path: string,
  options: {
    readonly secret?: string
    readonly body?: unknown
    readonly headers?: Readonly<Record<string, string>>
  } = {},
): Promise<Answer> {
  const response = await fetch(new URL(path, url), {
    method,
    redirect: 'manual',
    headers: {
      ...(options.secret === undefined ? {} : { authorization: `Bearer ${options.secret}` }),
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    },
    ...(options.body === undefined
      ? {}
      : { body: typeof options.body === 'string' ? options.body : JSON.stringify(options.body) }),
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  }
}
