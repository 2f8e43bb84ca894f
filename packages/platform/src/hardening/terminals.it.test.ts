/* Open terminals of accounts that lose their right, and of a platform that ends (GHSA-c8xw-vjgf-94hr and its kind). */
import { systemClock, waitFor } from '@slipway/kit'
import { createClient } from '@slipway/sdk'
import { makeWorkload, pushProgram, testCluster, testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const START_MS = 60_000
/** The promise is 5 s; a deadline here only tells a terminal that is cut from one that is not. */
const CUT_MS = 20_000

let cluster: Awaited<ReturnType<typeof testCluster>>
let platform: TestPlatform
let operator: string
let organization: string
let instance: string

const program = `require('node:http').createServer((_, response) => response.end('ok')).listen(Number(process.env.PORT), process.env.HOST)`

beforeAll(async () => {
  cluster = await testCluster()
  platform = await testPlatform({ localKubeconfig: cluster.kubeconfigPath })
  operator = await platform.becomeOperator()
  const shop = await makeWorkload(platform, operator)
  organization = shop.organizationId
  const api = createClient({ server: platform.url, credentials: { bearer: operator } })
  await pushProgram(platform, { secret: operator, repository: shop.repository, tag: 'one', program })
  await api.startRelease({ workload: shop.workloadId, image: 'one' })
  const ready = await waitFor(
    systemClock,
    'a ready Instance',
    async () => {
      const { items } = await api.listInstances({ workload: shop.workloadId })
      return items.find(({ state }) => state === 'Ready')
    },
    { timeoutMs: START_MS, everyMs: 250 },
  )
  instance = ready.id
})
afterAll(async () => {
  await platform[Symbol.asyncDispose]()
  await cluster.stop()
})

type User = { readonly id: string; readonly secret: string }

async function owner(name: string): Promise<User> {
  const user = await platform.user(operator, name)
  const path = `/v1/organizations/${organization}/members/${user.id}`
  await platform.call('PUT', path, { secret: operator, body: { role: 'owner' } })
  return user
}

/** Opens a terminal that goes on for ever; true once it was cut. */
async function openTerminal(secret: string): Promise<{ wasCut: () => Promise<boolean> }> {
  const api = createClient({ server: platform.url, credentials: { bearer: secret } })
  const socket = await api.openTerminal({ instance, terminal: 'false', command: ['sh', '-c', 'cat'] })
  return {
    async wasCut() {
      const cut = socket.closed.then(
        () => true,
        () => true,
      )
      return Promise.race([cut, systemClock.sleep(CUT_MS).then(() => false)])
    },
  }
}

describe('an open terminal is cut when', () => {
  type Case = {
    readonly byToken?: boolean
    readonly revoke: (user: User, tokenId: string) => Promise<{ readonly status: number }>
  }
  const member = ({ id }: User): string => `/v1/organizations/${organization}/members/${id}`
  const cases: [when: string, one: Case][] = [
    [
      'its user signs out',
      { revoke: ({ secret }) => platform.call('DELETE', '/v1/sessions/current', { secret }) },
    ],
    [
      'its token is deleted',
      {
        byToken: true,
        revoke: ({ secret }, tokenId) => platform.call('DELETE', `/v1/tokens/${tokenId}`, { secret }),
      },
    ],
    [
      'its user is no longer a member',
      { revoke: (user) => platform.call('DELETE', member(user), { secret: operator }) },
    ],
    [
      'its user may only read from now on',
      {
        revoke: (user) => platform.call('PUT', member(user), { secret: operator, body: { role: 'viewer' } }),
      },
    ],
  ]

  test.concurrent.each(cases)('%s', async (when, { byToken, revoke }) => {
    const user = await owner(`terminal-${cases.findIndex(([name]) => name === when)}`)
    const token = await platform.call('POST', '/v1/tokens', { secret: user.secret, body: { name: 'ci' } })
    const terminal = await openTerminal(byToken === true ? String(token.body['secret']) : user.secret)
    expect([200, 204]).toContain((await revoke(user, String(token.body['id']))).status)
    expect(await terminal.wasCut()).toBe(true)
  })
})

test('an open terminal does not keep the platform from ending', async () => {
  const user = await owner('last')
  const terminal = await openTerminal(user.secret)
  await platform[Symbol.asyncDispose]()
  expect(await terminal.wasCut()).toBe(true)
})
