/* Kubeconfigs and servers that are not what they should be: each is refused in words that name the next step. */
import { systemClock, waitFor } from '@slipway/kit'
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
  simpleServer,
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

const failures: readonly (readonly [
  slug: string,
  answer: (path: string) => FakeReply | undefined,
  expected: { readonly state: string; readonly words: RegExp },
])[] = [
  ['refusing', refusing, { state: 'credentials', words: /Unauthorized/u }],
  ['busy', busy, { state: 'unknown', words: /TooManyRequests/u }],
  ['failing', failing, { state: 'unknown', words: /InternalError/u }],
  ['babbling', babbling, { state: 'unknown', words: /no Kubernetes API/u }],
  ['silent', silent, { state: 'unknown', words: /did not answer in time/u }],
]

test(
  'a server that was sound says in its health what is wrong, and is ready once it is sound again',
  { timeout: 120_000 },
  async () => {
    await using cleanup = new AsyncDisposableStack()
    const broken = { yes: false }
    const ids = new Map<string, string>()
    for (const [slug, answer] of failures) {
      const server = cleanup.use(
        await fakeApiServer((path) => (broken.yes ? answer(path) : simpleServer(path))),
      )
      const body = { slug, kubeconfig: server.kubeconfig() }
      const made = await platform.call('POST', '/v1/clusters', { secret, body })
      expect(made).toMatchObject({ status: 201 })
      ids.set(slug, String(made.body['id']))
    }
    const health = async (slug: string): Promise<{ readonly state: string; readonly message: string }> =>
      (await platform.call('GET', `/v1/clusters/${ids.get(slug)}`, { secret })).body['health'] as {
        readonly state: string
        readonly message: string
      }
    const reaches = (slug: string, state: string): Promise<unknown> =>
      waitFor(
        systemClock,
        `${slug} to be ${state}`,
        async () => (await health(slug)).state === state || undefined,
        {
          timeoutMs: 60_000,
          everyMs: 200,
        },
      )
    for (const [slug] of failures) await reaches(slug, 'ready')
    broken.yes = true
    for (const [slug, , { state, words }] of failures) {
      await reaches(slug, state)
      expect((await health(slug)).message).toMatch(words)
    }
    const path = `/v1/clusters/${ids.get('busy')}/nodes`
    expect(await platform.call('GET', path, { secret })).toMatchObject({
      status: 503,
      body: { error: { code: 'cluster_unreachable' } },
    })
    broken.yes = false
    for (const [slug] of failures) await reaches(slug, 'ready')
  },
)
