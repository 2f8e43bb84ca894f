/* Kubeconfigs and servers that are not what they should be: each is refused in words that name the next step. */
import { testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { makeAuthority } from '../../tools/kubernetes/certificates.ts'
import {
  babbling,
  busy,
  failing,
  fakeApiServer,
  forbidding,
  oldServer,
  refusing,
  silent,
  type FakeReply,
} from './fake-api-server.ts'

let platform: TestPlatform
let secret: string
beforeAll(async () => {
  platform = await testPlatform()
  secret = await platform.becomeOperator()
}, 120_000)
afterAll(() => platform[Symbol.asyncDispose]())

type Refusal = { readonly code: string; readonly message: string }

async function refusalOf(kubeconfig: string): Promise<Refusal & { readonly status: number }> {
  const body = { slug: 'far', kubeconfig }
  const answer = await platform.call('POST', '/v1/clusters', { secret, body })
  const { code, message } = answer.body['error'] as Refusal
  return { status: answer.status, code, message }
}

async function clusters(): Promise<unknown> {
  return (await platform.call('GET', '/v1/clusters', { secret })).body['items']
}

const cases: readonly (readonly [
  when: string,
  answer: (path: string) => FakeReply | undefined,
  expected: { readonly status: number; readonly code: string },
  words: string,
])[] = [
  ['refuses the credentials', refusing, { status: 422, code: 'cluster_credentials_refused' }, 'kubectl'],
  ['lets nobody do anything', forbidding, { status: 422, code: 'cluster_rights_missing' }, 'administrator'],
  ['is too old', oldServer, { status: 422, code: 'cluster_too_old' }, 'v1.29.9; 1.30 or newer'],
  ['is too busy', busy, { status: 503, code: 'cluster_failing' }, 'TooManyRequests'],
  ['is broken', failing, { status: 503, code: 'cluster_failing' }, 'InternalError'],
  ['is a web site', babbling, { status: 422, code: 'cluster_not_kubernetes' }, 'no Kubernetes API'],
  ['never answers', silent, { status: 503, code: 'cluster_unreachable' }, 'did not answer in time'],
]

test.each(cases)(
  'a server that %s is told so, and nothing is registered',
  { timeout: 60_000 },
  async (_, answer, expected, words) => {
    await using server = await fakeApiServer(answer)
    const refusal = await refusalOf(server.kubeconfig())
    expect(refusal).toMatchObject(expected)
    expect(refusal.message).toContain(words)
    expect(server.paths.filter((path) => !path.startsWith('GET '))).toEqual([])
    expect(await clusters()).toEqual([])
  },
)

test('a certificate that another authority signed names the field to put right', async () => {
  await using server = await fakeApiServer(oldServer)
  const refusal = await refusalOf(server.kubeconfig(makeAuthority('other').certificate))
  expect(refusal).toMatchObject({ status: 422, code: 'cluster_untrusted' })
  expect(refusal.message).toContain('certificate-authority-data')
  expect(server.paths).toEqual([])
})
