/* What a console must stand: lines and names of any kind, a server that fails, hangs or is newer, clocks and windows that are off. */
import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'

import { freePort } from '@slipway/testkit'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { memoryOf } from '../../bench/console-page.ts'
import { PASSWORD, settleIn, WORKLOAD, type Developer } from '../journey/developer.ts'
import { makeHome, removeHome, startProduct, type Product } from '../journey/product.ts'
import { browserPath, keepPicture, openBrowser, settle, visit, type Visitor } from './browser.ts'
import { newer, standInFront, type Front } from './front.ts'
import { makeNoisyRepository } from './noisy.ts'
import { answersOf, buildStretched, CUT_OFF, stretch } from './pseudo.ts'
import { tooWide } from './walk.ts'

const DEADLINE = { timeout: 120_000 }
const DAY_MS = 24 * 60 * 60 * 1_000
const BIG_LINE = 10_000_000

let home = ''
let product: Product
let developer: Developer
let front: Front
let browser: Browser
let session: Awaited<ReturnType<BrowserContext['storageState']>>
let places: Readonly<Record<string, string>> = {}

describe.skipIf(browserPath === undefined)('the console before what is odd', () => {
  beforeAll(async () => {
    home = await makeHome()
    const ports = { platform: await freePort(), gateway: await freePort(), cluster: await freePort() }
    product = await startProduct(home, ports)
    front = await standInFront(ports.platform)
    browser = await openBrowser([
      `--host-resolver-rules=MAP localhost:${ports.platform} 127.0.0.1:${front.port}`,
    ])
    developer = await settleIn(product, home)
    const { cli } = developer
    await cli.succeed(['source', 'set', 'shop/web', await makeNoisyRepository(home)])
    const { id } = await cli.json('build', 'start', 'shop/web')
    const release = await cli.json('release', 'start', WORKLOAD, '--image', String(id), '--steps', 'rest')
    const workload = await cli.json('workload', 'show', WORKLOAD)
    const [instance] = (await cli.json('instance', 'list', WORKLOAD)) as unknown as readonly Named[]
    const [cluster] = (await cli.json('cluster', 'list')) as unknown as readonly Named[]
    const [organization] = (await cli.json('organization', 'list')) as unknown as readonly Named[]
    const path = `/workloads/${String(workload['id'])}`
    places = {
      home: '/',
      approvals: '/approvals',
      projects: '/projects',
      applications: '/applications',
      application: `/applications/${String(workload['applicationId'])}`,
      workloads: '/workloads',
      workload: path,
      releases: `${path}/releases`,
      newRelease: `${path}/new-release`,
      release: `/releases/${String(release['id'])}`,
      build: `/builds/${String(id)}`,
      instances: `${path}/instances`,
      instance: `/instances/${instance?.id ?? ''}`,
      logs: `${path}/logs`,
      variables: `${path}/variables`,
      settings: `${path}/settings`,
      clusters: '/clusters',
      locations: '/locations',
      cluster: `/clusters/${cluster?.id ?? ''}`,
      clusterInstances: `/clusters/${cluster?.id ?? ''}/instances`,
      organizations: '/organizations',
      organization: `/organizations/${organization?.id ?? ''}`,
      users: '/users',
      tokens: '/tokens',
      audit: '/audit',
    }
    session = await signIn()
  })

  afterEach(() => front?.behave({}))

  afterAll(async () => {
    await browser?.close()
    await front?.[Symbol.asyncDispose]()
    await product?.stop()
    if (home !== '') await removeHome(home)
  })

  test('a line of ten megabytes is shown by its beginning, and the log goes on behind it', async () => {
    await using visitor = await open()
    const { page } = visitor
    await page.goto(place('logs'))
    await page.locator('.line-row').first().waitFor(DEADLINE)
    await fetch(`${await developer.address()}/?long=${BIG_LINE}`)
    await page.getByLabel('Find in the lines').fill('long xxx')
    await page.locator('.log-tools').getByText('1 matches').waitFor(DEADLINE)
    await page.keyboard.press('Enter')
    const line = page.locator('.line-row.is-here')
    await line.getByText('the rest of this line was too long').waitFor(DEADLINE)
    expect((await line.textContent())?.length).toBeLessThan(10_000)
    await page.getByLabel('Find in the lines').fill('')
    await page.getByRole('log').focus()
    await page.keyboard.press('End')
    const last = page.locator('.line-row').last()
    await expect.poll(() => last.textContent(), DEADLINE).toMatch(/order \d+ accepted/u)
    const before = await last.textContent()
    await expect.poll(() => last.textContent(), DEADLINE).not.toBe(before)
    expect(visitor.complaints()).toEqual([])
  })

  test('names with markup, of any script and without a place to break, are shown as they are', async () => {
    await using visitor = await open({ widthPx: 360 })
    const { page } = visitor
    const make = async (path: string, name: string): Promise<string> => {
      const answer = await post(visitor, path, { slug: 'odd', name })
      expect([answer.status, answer.body]).toEqual([201, answer.body])
      return String(answer.body['id'])
    }
    const names = [
      '<img src=x onerror="document.title=1"> &amp; {name} </script>',
      'مشروع الميناء (אחד) 123',
      `𠮷野家👩‍👩‍👧‍👦${'Z̀'.repeat(50)}`,
    ] as const
    const organization = await make('/v1/organizations', names[0])
    const project = await make(`/v1/organizations/${organization}/projects`, names[1])
    const application = await make(`/v1/projects/${project}/applications`, names[2])
    const shown = {
      organizations: ['/organizations', names[0]],
      organization: [`/organizations/${organization}`, names[0]],
      projects: ['/projects', names[1]],
      project: [`/projects/${project}`, names[1]],
      applications: ['/applications', names[2]],
      application: [`/applications/${application}`, names[2]],
    } as const
    for (const [screen, [path, name]] of Object.entries(shown)) {
      await page.goto(path)
      await page.locator('main').getByText(name, { exact: true }).first().waitFor()
      expect(await page.title(), screen).not.toBe('1')
      expect(await page.locator('img[src=x]').count(), screen).toBe(0)
    }
    const screens = Object.entries(shown).map(([screen, [path]]) => [`odd-${screen}`, path] as const)
    expect(await tooWide(page, screens, 360)).toEqual([])
    // What turns around the text beside it is nobody's name.
    const refused = await post(visitor, '/v1/organizations', { slug: 'turned', name: 'exe.\u202Egnp' })
    expect(refused.status).toBe(400)
    expect(visitor.complaints().filter((said) => !/400|404.*\/source\)$/u.test(said))).toEqual([])
  })

  test('a server that fails is told with a code, and what it was asked for comes once it is well', async () => {
    await using visitor = await open()
    const { page } = visitor
    await page.goto('/tokens')
    await settle(page)
    front.behave({
      answer: (path) =>
        path.startsWith('/v1/projects') ? { status: 500, type: 'text/html', body: '<h1>oops</h1>' } : 'pass',
    })
    await page.getByRole('navigation').getByRole('link', { name: 'Projects' }).click()
    const refusal = page.locator('main').getByRole('alert')
    await refusal.waitFor(DEADLINE)
    expect(await refusal.textContent()).not.toContain('<h1>')
    await keepPicture(page, 'odd-server-fails')
    front.behave({})
    await refusal.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('grid').getByRole('link', { name: 'shop' }).waitFor(DEADLINE)

    front.behave({
      answer: (path) => (path.startsWith('/v1/') ? { status: 500, type: 'text/plain', body: '' } : 'pass'),
    })
    await page.reload()
    await page.getByRole('alert').waitFor(DEADLINE)
    front.behave({})
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('grid').getByRole('link', { name: 'shop' }).waitFor(DEADLINE)
  })

  test('a question that is never answered holds up nothing else', async () => {
    await using visitor = await open()
    const { page } = visitor
    await page.goto('/')
    await settle(page)
    front.behave({ answer: (path) => (path.startsWith('/v1/projects') ? 'hang' : 'pass') })
    await page.getByRole('navigation').getByRole('link', { name: 'Projects' }).click()
    await page.locator('main .loading').waitFor()
    await page.getByRole('navigation').getByRole('link', { name: 'Tokens' }).click()
    await page.getByRole('heading', { level: 1, name: 'Tokens' }).waitFor(DEADLINE)
    front.behave({})
    await page.getByRole('navigation').getByRole('link', { name: 'Projects' }).click()
    await page.getByRole('grid').getByRole('link', { name: 'shop' }).waitFor(DEADLINE)
  })

  test('a server that is newer says words that nobody here knows, and no screen breaks', async () => {
    await using visitor = await open()
    const { page } = visitor
    front.behave({ change: newer })
    const broken: string[] = []
    for (const [screen, path] of Object.entries(places)) {
      await page.goto(path)
      await settle(page)
      if ((await page.locator('.fallback').count()) > 0) broken.push(screen)
      for (const said of visitor.complaints()) broken.push(`${screen}: ${said}`)
    }
    expect(broken).toEqual([])
    front.behave({
      answer: (path) =>
        path.startsWith('/v1/projects')
          ? { status: 409, type: 'application/json', body: JSON.stringify({ error: FROZEN }) }
          : 'pass',
    })
    await page.goto('/projects')
    const refusal = page.locator('main').getByRole('alert')
    await refusal.getByText(FROZEN.message).waitFor(DEADLINE)
    await refusal.getByText(FROZEN.code).waitFor()
  })

  test('parts that went with an older console are fetched anew, whatever is open', async () => {
    await using visitor = await open()
    const { page } = visitor
    await page.goto('/')
    await settle(page)
    let missed = 0
    front.behave({
      answer(path) {
        if (missed > 0 || !path.startsWith('/console/') || !path.endsWith('.js')) return 'pass'
        missed += 1
        return { status: 404, type: 'text/plain', body: 'gone' }
      },
    })
    await page.getByRole('navigation').getByRole('link', { name: 'Organizations' }).click()
    await page.getByRole('grid').getByRole('link', { name: 'acme' }).waitFor(DEADLINE)
    expect(missed).toBe(1)
  })

  test.each([
    ['behind', -3 * DAY_MS],
    ['ahead', 400 * DAY_MS],
  ])('with a clock that is far %s, times are those of the server', async (_, offMs) => {
    await using visitor = await open()
    const { page, context } = visitor
    await context.addInitScript(`globalThis.Date = class extends Date {
      constructor(...given) { if (given.length > 0) super(...given); else super(globalThis.Date.now()) }
      static now() { return super.now() + (${offMs}) }
    }`)
    await page.goto(place('instances'))
    const since = page.getByRole('grid').locator('time').first()
    await since.waitFor(DEADLINE)
    await expect.poll(() => since.textContent(), DEADLINE).toMatch(/^\d+ (?:sec|min)\. ago$/u)
    await page.goto(`${place('logs')}?since=5m`)
    await page.locator('.line-row').first().waitFor(DEADLINE)
    expect(visitor.complaints()).toEqual([])
  })

  test('at four times the size every screen can be read without scrolling sideways', async () => {
    await using visitor = await open({ widthPx: 320 })
    const { page } = visitor
    await page.setViewportSize({ width: 320, height: 200 })
    const screens = Object.entries(places).map(([name, path]) => [`zoomed-${name}`, path] as const)
    expect(await tooWide(page, screens, 320)).toEqual([])
  })

  // Ten minutes of it, with 6,000 Instances: `npm run bench -- console`.
  test('a log that goes on takes no more memory than its lines', async () => {
    await using visitor = await open()
    const { page } = visitor
    await page.goto(place('logs'))
    await page.locator('.line-row').first().waitFor(DEADLINE)
    const held = async (): Promise<number> =>
      Number(
        /([\d,]+) lines here/u
          .exec((await page.locator('.log-foot').textContent()) ?? '')?.[1]
          ?.replaceAll(',', ''),
      )
    const [linesBefore, before] = [await held(), await memoryOf(page)]
    await expect.poll(held, DEADLINE).toBeGreaterThan(linesBefore + 60)
    const after = await memoryOf(page)
    expect(after.heapMb).toBeLessThan(before.heapMb + 8)
    expect(after.nodes).toBeLessThan(before.nodes + 1_000)
  })

  test('texts that are two fifths longer are cut off nowhere', async () => {
    const folder = join(home, 'stretched')
    await buildStretched(folder)
    const files = (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    front.behave({ answer: await answersOf(folder, files) })
    await using visitor = await open()
    const { page } = visitor
    const cut: string[] = []
    for (const [screen, path] of Object.entries(places)) {
      await page.goto(path)
      await settle(page)
      await keepPicture(page, `longer-${screen}`)
      // Made by the script.
      const found = (await page.evaluate(CUT_OFF)) as readonly string[]
      for (const one of found) cut.push(`${screen}: ${one}`)
    }
    expect(await page.locator('h1').textContent()).toBe(stretch('Audit log'))
    expect(cut).toEqual([])
  })

  test('without scripts a sentence says what is needed', async () => {
    const context = await browser.newContext({ baseURL: product.url, javaScriptEnabled: false })
    try {
      const page = await context.newPage()
      await page.goto('/')
      const sentences = page.locator('noscript p')
      await sentences.first().waitFor()
      expect(await sentences.allTextContents()).toEqual([
        expect.stringContaining('needs JavaScript'),
        expect.stringContaining('需要启用 JavaScript'),
      ])
    } finally {
      await context.close()
    }
  })
})

type Named = { readonly id: string }

const FROZEN = {
  code: 'harbour_frozen',
  message: 'The harbour is frozen; wait for spring.',
  params: { until: 'spring' },
  requestId: 'req_0001',
}

function place(name: string): string {
  return places[name] ?? ''
}

function open(options: { readonly widthPx?: number } = {}): Promise<Visitor> {
  return visit(browser, { url: product.url, theme: 'light', language: 'en', session, ...options })
}

async function signIn(): Promise<typeof session> {
  await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en' })
  const { page } = visitor
  await page.goto('/sign-in')
  await fillIn(page, 'Name', 'ann')
  await fillIn(page, 'Password', PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor(DEADLINE)
  return await visitor.context.storageState()
}

async function fillIn(page: Page, label: string, value: string): Promise<void> {
  await page.getByLabel(label, { exact: true }).fill(value)
}

async function post(
  { context }: Visitor,
  path: string,
  data: unknown,
): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }> {
  const answer = await context.request.post(path, { data, headers: { origin: product.url } })
  // The API answers objects.
  return { status: answer.status(), body: (await answer.json()) as Readonly<Record<string, unknown>> }
}
