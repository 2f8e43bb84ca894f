import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { systemClock, waitFor } from '@slipway/kit'
import { testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

const PAGE = '<!doctype html><script src="/console/assets/a-1.js" nonce="__NONCE__"></script>'
const asBrowser = { accept: 'text/html,application/xhtml+xml' }

let folder = ''
let built = ''
let platform: TestPlatform

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-console-'))
  built = join(folder, 'built')
  platform = await testPlatform({ consoleFolder: built })
})

afterAll(async () => {
  await platform[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const get = (path: string, headers: Readonly<Record<string, string>> = asBrowser): Promise<Response> =>
  fetch(new URL(path, platform.url), { headers, redirect: 'manual' })

test('until the console is built, a page says so and asks again by itself', async () => {
  const response = await get('/applications')
  expect(response.status).toBe(200)
  const text = await response.text()
  expect(text).toContain('http-equiv="refresh"')
  expect(text).toContain('being prepared')
  expect(text).toContain('正在准备中')
})

test('a build that failed is shown with its reason', async () => {
  await writeFile(`${built}.failed`, 'no <room> left')
  const text = await waitFor(
    systemClock,
    'the reason to be shown',
    async () => {
      const shown = await (await get('/')).text()
      return shown.includes('could not be built') && shown
    },
    { timeoutMs: 30_000 },
  )
  expect(text).toContain('no &lt;room&gt; left')
})

test('once it is built, every place gets the page with a nonce of its own, and nothing may keep it', async () => {
  const unfinished = `${built}.tmp`
  await mkdir(join(unfinished, 'assets'), { recursive: true })
  await writeFile(join(unfinished, 'index.html'), PAGE)
  await writeFile(join(unfinished, 'terminal.html'), PAGE)
  await writeFile(join(unfinished, 'assets', 'a-1.js'), 'export {}')
  await writeFile(join(unfinished, 'assets', 'a-1.js.br'), 'packed')
  await rename(unfinished, built)
  const first = await waitFor(
    systemClock,
    'the console',
    async () => {
      const response = await get('/releases/rel_1')
      const text = await response.text()
      return text.includes('a-1.js') && { text, headers: response.headers }
    },
    { timeoutMs: 30_000 },
  )
  const nonce = /nonce="([^"]+)"/u.exec(first.text)?.[1] ?? ''
  expect(nonce).toMatch(/^[\w-]{24}$/u)
  const policy = first.headers.get('content-security-policy') ?? ''
  expect(policy).toContain(`style-src 'self' 'nonce-${nonce}'`)
  expect(policy).toContain("script-src 'self';")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(first.headers.get('cache-control')).toBe('no-store')
  expect(await (await get('/')).text()).not.toContain(nonce)
})

test('its files are packed, named by their content and kept for ever', async () => {
  const response = await fetch(new URL('/console/assets/a-1.js', platform.url), {
    headers: { 'accept-encoding': 'identity' },
  })
  expect(response.headers.get('cache-control')).toContain('immutable')
  expect(response.headers.get('content-type')).toContain('text/javascript')
  expect(await response.text()).toBe('export {}')
})

test.each(['/console/assets/none.js', '/console/..%2f..%2fetc%2fpasswd', '/console/index.html', '/console/'])(
  'there is no %s',
  async (path) => expect((await get(path)).status).toBe(404),
)

test.each(['/v1/no-such-thing', '/v2/no/such/thing', '/docs/no-such-thing'])(
  'no page stands in the place of %s',
  async (path) => {
    const response = await get(path)
    expect(response.headers.get('content-type')).not.toContain('text/html')
    expect(response.status).toBeGreaterThanOrEqual(400)
  },
)

test('a program that asks for no page gets none', async () => {
  expect((await get('/applications', { accept: 'application/json' })).status).toBe(404)
})

test('reports of a broken policy are taken, whatever they hold', async () => {
  for (const body of ['{"csp-report":{"blocked-uri":"inline"}}', 'no json', 'x'.repeat(100_000)]) {
    const response = await fetch(new URL('/console/reports', platform.url), {
      method: 'POST',
      headers: { 'content-type': 'application/csp-report' },
      body,
    })
    expect(response.status).toBe(204)
  }
})
