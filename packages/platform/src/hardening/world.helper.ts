import { Plan, WorkloadTemplate } from '@slipway/contract'
import { envelopeOf, must, newMasterKey } from '@slipway/kit'
import { testPlatform, type TestPlatform } from '@slipway/testkit'
import { Client } from 'pg'

import { credentialsOwner } from '../modules/fleet/connections.ts'

/** Objects of every kind in one Organization, with accounts of it. */
export type World = AsyncDisposable & {
  readonly platform: TestPlatform
  readonly operator: string
  readonly owner: { readonly id: string; readonly secret: string }
  /** An id of each kind, by the name of its path parameter. */
  readonly ids: Readonly<Record<string, string>>
  /** As the superuser, past every policy. */
  readonly database: Client
}

type Settings = NonNullable<Parameters<typeof testPlatform>[0]>
type Parts = NonNullable<Parameters<typeof testPlatform>[1]>

/** Starts a platform with a Cluster that nobody reaches and one object of each kind that needs no build. */
export async function startWorld(
  options: {
    readonly settings?: Settings
    readonly parts?: Parts
    /** Token in the Cluster's kubeconfig. */
    readonly clusterToken?: string
    /** Of the database, when the settings name another one than the platform's own. */
    readonly superuserUrl?: string
  } = {},
): Promise<World> {
  await using cleanup = new AsyncDisposableStack()
  const masterKey = newMasterKey()
  const platform = cleanup.use(
    await testPlatform({ masterKey: masterKey.toString('base64'), ...options.settings }, options.parts),
  )
  const slug = 'acme'
  const operator = await platform.becomeOperator()
  const database = new Client({ connectionString: options.superuserUrl ?? platform.superuserUrl })
  // What stops the server under a test also ends this connection.
  database.on('error', () => undefined)
  await database.connect()
  cleanup.defer(() => database.end().catch(() => undefined))
  const make = async (path: string, body: unknown): Promise<string> => {
    const answer = await platform.call('POST', path, { secret: operator, body })
    return String(must(answer.body['id'], `POST ${path} answered ${JSON.stringify(answer.body)}`))
  }
  const cluster = `clu_${'1'.repeat(26)}`
  await database.query(
    `insert into fleet_cluster (id, slug, name, credentials, server, gateway, is_default, created_at, updated_at)
     values ($1, 'nowhere', 'nowhere', $2, 'https://127.0.0.1:1', '{}', true, now(), now())`,
    [
      cluster,
      envelopeOf(masterKey).seal(kubeconfigOf(options.clusterToken ?? 'token'), credentialsOwner(cluster)),
    ],
  )
  const organization = await make('/v1/organizations', { slug, name: 'Acme' })
  const project = await make(`/v1/organizations/${organization}/projects`, {
    slug: `${slug}-shop`,
    name: 'Shop',
  })
  const environment = await make(`/v1/projects/${project}/environments`, { slug: 'test', name: 'Test' })
  const application = await make(`/v1/projects/${project}/applications`, { slug: 'web' })
  const workload = await make(`/v1/applications/${application}/workloads`, { environment })
  const revisions = `/v1/workloads/${workload}/config-revisions`
  await platform.call('POST', revisions, { secret: operator, body: { set: [{ name: 'MODE', value: 'a' }] } })
  const release = `rel_${'1'.repeat(26)}`
  await database.query(
    `insert into release_release select $1, organization_id, project_id, id, 1, $2, 1, $3, '', '00000000', '[]', $4, null, null,
       'Placing', null, 'forward', false, 0, -1, 1, 0, 0, $5, null, false, false, now(), now(), 1, 'them', now(), null
     from app_workload where id = $6`,
    [
      release,
      `${slug}-shop/web@sha256:${'0'.repeat(64)}`,
      JSON.stringify(WorkloadTemplate.parse({ processes: { web: { kind: 'web' } } })),
      JSON.stringify(Plan.parse({ batches: [{ percent: 100 }] })),
      JSON.stringify({ newReady: 0, newWanted: 1, oldReady: 0, oldWanted: 0 }),
      workload,
    ],
  )
  const token = await make('/v1/tokens', { name: 'first' })
  const owner = await platform.user(operator, `owner-of-${slug}`)
  await platform.call('PUT', `/v1/organizations/${organization}/members/${owner.id}`, {
    secret: operator,
    body: { role: 'owner' },
  })
  const owned = cleanup.move()
  return {
    platform,
    operator,
    owner,
    ids: {
      cluster,
      organization,
      project,
      environment,
      application,
      workload,
      release,
      token,
      user: owner.id,
      chain: organization,
      instance: `${workload}.web-1`,
    },
    database,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** A kubeconfig that is right in every way but that nobody listens there. */
export function kubeconfigOf(token: string, server = 'https://127.0.0.1:1'): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'main',
    clusters: [{ name: 'one', cluster: { server } }],
    users: [{ name: 'me', user: { token } }],
    contexts: [{ name: 'main', context: { cluster: 'one', user: 'me' } }],
  })
}
