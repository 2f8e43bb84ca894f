/* The platform as a process of its own, which a test may kill. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { TestDatabase } from '@slipway/db/testing'
import { createClient } from '@slipway/sdk'
import { freePort } from '@slipway/testkit'

const MAIN = fileURLToPath(new URL('../../main.ts', import.meta.url))
const PASSWORD = 'a long test password'

/** Environments need a Cluster; nobody answers for this one, which is there unless another one is given. */
const NOWHERE = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'nowhere',
  clusters: [{ name: 'nowhere', cluster: { server: 'https://127.0.0.1:1' } }],
  users: [{ name: 'nobody', user: { token: 'x' } }],
  contexts: [{ name: 'nowhere', context: { cluster: 'nowhere', user: 'nobody' } }],
})

type Ready = { readonly url: string; readonly firstRunToken?: string }

/** One replica; it can be killed and started again, at the same address. */
export type Replica = AsyncDisposable & {
  readonly folder: string
  /** Starts it; at the first start of an installation the last one started knows the first-run token. */
  readonly start: () => Promise<Ready>
  readonly kill: () => Promise<void>
}

export async function replicaOf(
  database: Pick<TestDatabase, 'appUrl' | 'ownerUrl'>,
  masterKey: Buffer,
  localKubeconfig?: string,
): Promise<Replica> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-test-replica-'))
  const port = String(await freePort())
  const kubeconfig = join(folder, 'kubeconfig')
  await writeFile(kubeconfig, NOWHERE)
  let child: ChildProcess | undefined
  const kill = async (): Promise<void> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
  return {
    folder,
    kill,
    async start() {
      child = spawn(process.execPath, ['--conditions=source', MAIN], {
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
        env: {
          PATH: process.env['PATH'],
          SLIPWAY_LOG_LEVEL: 'fatal',
          DATABASE_URL: database.appUrl,
          DATABASE_OWNER_URL: database.ownerUrl,
          SLIPWAY_MASTER_KEY: masterKey.toString('base64'),
          SLIPWAY_PORT: port,
          SLIPWAY_DATA: folder,
          SLIPWAY_LOCAL_KUBECONFIG: localKubeconfig ?? kubeconfig,
        },
      })
      const [said] = (await once(child, 'message')) as [Ready & { readonly type: string }]
      if (said.type !== 'ready') throw new Error(`the platform did not start: ${JSON.stringify(said)}`)
      return said
    },
    async [Symbol.asyncDispose]() {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Makes the first administrator; their secret. */
export async function signInFirst({ url, firstRunToken = '' }: Ready): Promise<string> {
  const { secret } = await createClient({ server: url }).completeFirstRun({
    token: firstRunToken,
    name: 'admin',
    password: PASSWORD,
    delivery: 'bearer',
  })
  return secret ?? ''
}
