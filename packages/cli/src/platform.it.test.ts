import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { Exit } from './exit.ts'
import { harness, type Harness, type Outcome } from './testing/harness.ts'

/* The same journey a person makes on the first day, against a whole platform. */

let platform: TestPlatform
let cli: Harness
beforeAll(async () => {
  cli = await harness()
  // A Cluster nobody answers for: Environments only need to name one.
  const localKubeconfig = join(cli.folder, 'kubeconfig')
  await writeFile(localKubeconfig, KUBECONFIG)
  platform = await testPlatform({ localKubeconfig })
})
afterAll(async () => {
  await platform[Symbol.asyncDispose]()
  await cli[Symbol.asyncDispose]()
})

const KUBECONFIG = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'nowhere',
  clusters: [{ name: 'nowhere', cluster: { server: 'https://127.0.0.1:1' } }],
  users: [{ name: 'nobody', user: { token: 'x' } }],
  contexts: [{ name: 'nowhere', context: { cluster: 'nowhere', user: 'nobody' } }],
})
const PASSWORD = 'a long test password'
const call = (line: string, stdin = ''): Promise<Outcome> => cli.call(line.split(' '), { stdin })
async function json(line: string): Promise<unknown> {
  const result = await call(`${line} -o json`)
  expect(result.exit, result.err).toBe(Exit.ok)
  return JSON.parse(result.out)
}

test('from the first-run token to an Environment, a member, a token and the audit', async () => {
  const first = `login --first-run-token ${platform.firstRunToken} --name admin --password-stdin --context-name here`
  expect(await call(`${first} --server ${platform.url}`, PASSWORD)).toMatchObject({ exit: Exit.ok })
  expect(await json('whoami')).toMatchObject({
    user: { name: 'admin', platformRoles: ['operator'] },
    context: 'here',
  })

  expect(await call('organization create acme --dry-run')).toMatchObject({ exit: Exit.ok })
  expect((await call('organization list --query [*].slug')).out).not.toContain('acme')
  await json('organization create acme')
  expect(await call('organization create acme')).toMatchObject({ exit: Exit.conflict })
  expect(await json('organization create retail --parent acme')).toMatchObject({ slug: 'retail' })

  expect(await json('project create shop --organization acme')).toMatchObject({ slug: 'shop' })
  expect(await call('project create Bad_Slug --organization acme')).toMatchObject({ exit: Exit.usage })
  expect((await call('project list --query [*].slug')).out).toBe('shop\n')

  expect(await json('environment create shop/test --cluster local')).toMatchObject({ slug: 'test' })
  expect(await json('environment get shop/test')).toMatchObject({ slug: 'test' })
  expect(await call('context set here --organization acme --project shop --environment test')).toMatchObject({
    exit: Exit.ok,
  })
  expect(await json('environment list')).toMatchObject([{ slug: 'test' }])

  expect(await call('user create li.wei --password-stdin', PASSWORD)).toMatchObject({ exit: Exit.ok })
  expect(await json('member set li.wei --role developer')).toMatchObject({
    userName: 'li.wei',
    role: 'developer',
  })
  expect(await json('member list')).toEqual(
    expect.arrayContaining([expect.objectContaining({ userName: 'li.wei' })]),
  )

  const token = (await json('token create ci --expires-in-days 1')) as { id: string; secret: string }
  const asToken = await cli.call(['whoami', '-o', 'json'], { environment: { SLIPWAY_TOKEN: token.secret } })
  expect(JSON.parse(asToken.out)).toMatchObject({ via: 'token' })
  expect(await call(`token delete ${token.id} --yes`)).toMatchObject({ exit: Exit.ok })
  expect(await cli.call(['whoami'], { environment: { SLIPWAY_TOKEN: token.secret } })).toMatchObject({
    exit: Exit.notSignedIn,
  })

  const events = (await json('audit list --organization acme --action project.create')) as {
    outcome: string
  }[]
  expect(events.map(({ outcome }) => outcome)).toContain('success')
  expect(await json('audit verify acme')).toMatchObject({ intact: true })
  expect(await json('audit verify')).toMatchObject({ intact: true })

  expect(await call('project delete shop --yes')).toMatchObject({ exit: Exit.conflict })
  await json('environment delete shop/test --yes')
  await json('project delete shop --yes')
  expect(await call('project get shop')).toMatchObject({ exit: Exit.notFound })
})

test('what a developer may not do is refused by name, and what they may not see is not there', async () => {
  const login = `login --name li.wei --password-stdin --context-name dev --server ${platform.url}`
  expect(await call(login, PASSWORD)).toMatchObject({ exit: Exit.ok })
  const denied = await call('user list --context dev')
  expect(denied.exit).toBe(Exit.denied)
  expect(denied.err).toContain('user:read')
  expect(await call('logout --context dev')).toMatchObject({ exit: Exit.ok })
  expect(await call('project list --context dev')).toMatchObject({ exit: Exit.notSignedIn })
  expect(await call('project list --context here')).toMatchObject({ exit: Exit.ok })
})
