/* The developer's way through the console, by mouse and by keyboard, before the really started product. */
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

import { freePort } from '@slipway/testkit'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { findProcesses, makeHome, removeHome, startProduct, type Product } from '../journey/product.ts'
import { makeRepository, type Repository } from '../journey/repository.ts'
import {
  accessibilityFindings,
  browserPath,
  keepPicture,
  looks,
  openBrowser,
  PASSWORD,
  settle,
  visit,
  type Session,
} from './browser.ts'
import { problemsOf, tooWide } from './walk.ts'

let home = ''
let product: Product
let repository: Repository
let browser: Browser
let session: Session
let workloadUrl = ''
let releaseUrl = ''
let buildUrl = ''
let applicationUrl = ''
let projectUrl = ''

describe.skipIf(browserPath === undefined)('the console', () => {
  beforeAll(async () => {
    home = await makeHome()
    repository = await makeRepository(home)
    const [platform, gateway, cluster] = [await freePort(), await freePort(), await freePort()]
    product = await startProduct(home, { platform, gateway, cluster })
    browser = await openBrowser()
  })

  afterAll(async () => {
    await browser?.close()
    await product?.stop()
    if (home !== '') await removeHome(home)
  })

  test('leads from the first-run token to a running Application, by mouse', async () => {
    await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en' })
    const { page } = visitor
    await page.goto('/')
    await page.getByLabel('First-run token').fill(product.firstRunToken ?? '')
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.getByRole('button', { name: 'Make me administrator' }).click()
    await page.getByRole('heading', { name: 'Home' }).waitFor()

    await page.getByRole('button', { name: 'Create an Application' }).click()
    await page.getByLabel('Organization', { exact: true }).fill('harbour')
    await page.getByLabel('Project', { exact: true }).fill('shop')
    await page.getByRole('button', { name: 'Go on' }).click()
    await page.getByLabel('Name', { exact: true }).fill('Web')
    await page.getByLabel('Git address or local path').fill(repository.path)
    await page.getByRole('button', { name: 'Create' }).click()
    await page.getByText('from slipway.yaml of this commit').waitFor()
    await page.getByText('Show one').click()
    await page.getByRole('button', { name: 'Build', exact: true }).click()
    await page.getByRole('log').getByText('building with node').waitFor()
    await page.locator('.page-title').getByText('succeeded').waitFor()
    buildUrl = pathOf(page)

    await page.getByRole('navigation', { name: 'Where you are' }).getByRole('link', { name: 'Web' }).click()
    await page.getByRole('button', { name: 'Run it in an Environment' }).click()
    await page.getByRole('dialog').getByText('production').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Create' }).click()
    await page.getByRole('heading', { level: 1, name: 'shop/web/production' }).waitFor()
    workloadUrl = pathOf(page)
    await page.getByRole('button', { name: 'Start a Release' }).click()
    await page.getByText('build-1').waitFor()
    await page.getByText('All at once').click()
    await page.getByRole('button', { name: 'Start Release' }).click()
    await page.getByRole('heading', { level: 1, name: 'Release 1' }).waitFor()
    await page.locator('.page-title').getByText('done').waitFor()
    expect(await page.locator('.timeline > li').count()).toBe(3)
    await page.goto('/projects/shop')
    await page.getByRole('heading', { level: 1, name: 'shop' }).waitFor()
    await page.waitForURL(/\/projects\/prj_/u)
    projectUrl = pathOf(page)
    session = await visitor.context.storageState()
    expect(visitor.complaints()).toEqual([])
  })

  test('builds, releases behind a person and rolls back, by keyboard alone, in Chinese and dark', async () => {
    await using visitor = await visit(browser, {
      url: product.url,
      theme: 'dark',
      language: 'zh-CN',
      session,
    })
    const { page } = visitor
    await page.goto('/')
    await page.getByRole('heading', { level: 1, name: '首页' }).waitFor()
    await choose(page, 'shop/web', '应用')
    await page.getByRole('heading', { level: 1, name: 'Web' }).waitFor()
    applicationUrl = pathOf(page)
    await press(page, page.getByRole('button', { name: '构建提交' }))
    await page.getByText('来自该提交的 slipway.yaml').waitFor()
    await press(page, page.getByRole('button', { name: '构建', exact: true }))
    await page.locator('.page-title').getByText('成功').waitFor()
    await press(page, page.getByRole('button', { name: '发布此镜像' }))
    await page.getByRole('heading', { level: 1, name: '发布 shop/web/production' }).waitFor()
    await press(page, page.getByRole('button', { name: '开始发布' }))
    await page.getByRole('heading', { level: 1, name: '发布 2' }).waitFor()
    await press(page, page.getByRole('button', { name: '批准' }))
    await page.getByRole('dialog').getByLabel('备注').waitFor()
    await page.keyboard.type('看起来正常')
    await press(page, page.getByRole('dialog').getByRole('button', { name: '批准' }))
    await page.locator('.page-title').getByText('已完成').waitFor()
    await page.locator('.timeline').getByText('看起来正常').waitFor()
    releaseUrl = pathOf(page)

    await page.goto(`${workloadUrl}/releases`)
    const rows = page.getByRole('grid').getByRole('row')
    await rows.nth(1).focus()
    await page.keyboard.press('End')
    await expect.poll(() => page.evaluate('document.activeElement.getAttribute("aria-rowindex")')).toBe('3')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: '发布 1' }).waitFor()
    await press(page, page.getByRole('button', { name: '回滚到此发布' }))
    await page.getByRole('dialog').locator('ins').first().waitFor()
    await press(page, page.getByRole('dialog').getByRole('button', { name: '回滚' }))
    await page.getByRole('heading', { level: 1, name: '发布 3' }).waitFor()
    await page.locator('.page-title').getByText('已完成').waitFor()
    expect(visitor.complaints()).toEqual([])
  })

  test.each(looks)('every screen is accessible and speaks one language: $theme, $language', async (look) => {
    await using visitor = await visit(browser, { url: product.url, ...look, session })
    // That nobody waits under the code is what its page is about.
    const due = (name: string, complaints: readonly string[]) =>
      name === 'device-unknown' ? complaints.filter((said) => !said.includes('404')) : complaints
    const problems = await problemsOf(visitor, { look, screens: screens(), data: DATA, due })
    expect(problems).toEqual([])
  })

  test('a window of 360 pixels shows every screen without scrolling sideways', async () => {
    await using visitor = await visit(browser, {
      url: product.url,
      theme: 'light',
      language: 'en',
      session,
      widthPx: 360,
    })
    expect(await tooWide(visitor.page, screens(), 360)).toEqual([])
  })

  test.each(['/projects/shop', '/projects/shop/applications/web', '/workloads/shop/web/production'])(
    'the link %s of the command line leads to what it names',
    async (path) => {
      await using visitor = await visit(browser, {
        url: product.url,
        theme: 'light',
        language: 'en',
        session,
      })
      const { page } = visitor
      await page.goto(path)
      await page.waitForURL(/\/(?:prj|app|wrk)_[0-9a-z]{26}$/u)
      await settle(page)
      expect(visitor.complaints()).toEqual([])
    },
  )

  test('a killed platform is told calmly, and what was shown goes on without a reload', async () => {
    await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en', session })
    const { page } = visitor
    await page.goto(`${workloadUrl}/new-release`)
    await page.getByText('build-2').click()
    await page.getByRole('button', { name: 'Start Release' }).click()
    await page.getByRole('button', { name: 'Approve' }).waitFor()
    const path = pathOf(page)
    const loadedAt = await page.evaluate('performance.timeOrigin')

    const [platform] = (await findProcesses(home)).filter(({ command }) =>
      command.includes('platform/src/main.ts'),
    )
    expect(platform).toBeDefined()
    // First it hangs, then it is gone.
    process.kill(platform?.pid ?? 0, 'SIGSTOP')
    await page.getByText('No connection to the server since').waitFor({ timeout: 60_000 })
    await keepPicture(page, 'no-connection')
    process.kill(platform?.pid ?? 0, 'SIGKILL')
    await page.getByText('No connection to the server since').waitFor({ state: 'hidden', timeout: 120_000 })
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click()
    await page.locator('.page-title').getByText('done').waitFor({ timeout: 120_000 })

    expect(await page.evaluate('performance.timeOrigin')).toBe(loadedAt)
    const answer = await visitor.context.request.get(`/v1${path}/events?limit=200`)
    const events = (await answer.json()) as { readonly items: readonly unknown[] }
    await expect
      .poll(() => page.locator('section[aria-label="Journal"] tbody tr').count())
      .toBe(events.items.length)
  })

  test('a session that has ended asks for the password over the page, which keeps what was typed', async () => {
    await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en', session })
    const { page, context } = visitor
    await page.goto(`${workloadUrl}/new-release`)
    await page.getByLabel('Probe path').fill('/healthz')
    const start = page.getByRole('button', { name: 'Start Release' })
    const dialog = page.getByRole('dialog', { name: 'Your session has ended' })
    await start.and(page.locator(':enabled')).waitFor()
    await context.clearCookies()
    // What the page asks by itself may tell of it first, and the dialog covers the button then.
    await start.dispatchEvent('click')
    await dialog.waitFor()
    await keepPicture(page, 'session-ended')
    expect(await accessibilityFindings(page)).toEqual([])
    await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await dialog.getByRole('button', { name: 'Sign in' }).click()
    await dialog.waitFor({ state: 'hidden' })
    expect(await page.getByLabel('Probe path').inputValue()).toBe('/healthz')
    expect(pathOf(page)).toBe(`${workloadUrl}/new-release`)
  })

  test('the first load stays below 400 kB', async () => {
    await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en', session })
    const { page } = visitor
    const files = new Set<string>()
    page.on('request', (request) => {
      if (/\.(?:js|css)$/u.test(request.url())) files.add(request.url())
    })
    await page.goto('/')
    await settle(page)
    const sizes = await Promise.all(
      [...files].map(async (file) => {
        const response = await fetch(file, { method: 'HEAD', headers: { 'accept-encoding': 'gzip' } })
        expect(response.status).toBe(200)
        return Number(response.headers.get('content-length'))
      }),
    )
    const sum = sizes.reduce((all, size) => all + size, 0)
    console.log(`first load of the console: ${Math.round(sum / 1_000)} kB (gzip), ${files.size} files`)
    expect(files.size).toBeGreaterThan(1)
    expect(sum).toBeLessThan(400_000)
  })

  test('a long list is a grid with all its rows, of which the page holds those in sight', async () => {
    await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en', session })
    const { page, context } = visitor
    const { request } = context
    const organizations = (await (await request.get('/v1/organizations')).json()) as {
      readonly items: readonly { readonly id: string }[]
    }
    const inOrganization = `/v1/organizations/${organizations.items[0]?.id ?? ''}/projects`
    for (let index = 0; index < 230; index += 1) {
      const data = { slug: `list-${index}`, name: `List ${index}` }
      const made = await request.post(inOrganization, { data, headers: { origin: product.url } })
      expect(made.status()).toBe(201)
    }
    await page.goto('/projects')
    const rows = page.getByRole('grid').locator('[role=row][tabindex]')
    await rows.first().focus()
    await page.keyboard.press('PageDown')
    const indexOfActive = (): Promise<unknown> =>
      page.evaluate('Number(document.activeElement.getAttribute("aria-rowindex"))')
    await expect.poll(indexOfActive).toBeGreaterThan(5)
    await page.keyboard.press('End')
    await expect.poll(indexOfActive, { timeout: 60_000 }).toBeGreaterThan(231)
    const last = Number(await indexOfActive())
    expect(await page.getByRole('grid').getAttribute('aria-rowcount')).toBe(String(last))
    expect(await rows.count()).toBeLessThan(80)
    expect(await accessibilityFindings(page)).toEqual([])
    await page.keyboard.press('Home')
    await expect.poll(indexOfActive).toBe(2)
    expect(await page.locator('[role=row][tabindex="0"]').count()).toBe(1)
  })

  test('no browser reported a broken policy', async () => {
    const log = await readFile(join(home, 'data', 'logs', 'platform.log'), 'utf8')
    expect(log.split('\n').filter((line) => line.includes('content security policy'))).toEqual([])
  })
})

/** What people and machines named in this run; it belongs to no language. */
const DATA = [
  hostname(),
  'harbour',
  'shop',
  'Pier',
  'Lighthouse',
  'Web',
  'shop/web/production',
  'shop/web',
  'production',
  'admin',
  'local',
  'system',
  'node',
  'host/node',
  'Ann',
  'Show one',
  'Show two',
  'build-1',
  'build-2',
  'pid-namespace',
  'main',
  'http://web.production.shop.localhost',
  'web',
]

function screens(): readonly (readonly [name: string, path: string])[] {
  return [
    ['home', '/'],
    ['approvals', '/approvals'],
    ['device', '/device'],
    ['device-unknown', '/device?code=BCDF-GHJK'],
    ['projects', '/projects'],
    ['project', projectUrl],
    ['applications', '/applications'],
    ['new-application', '/new-application'],
    ['application', applicationUrl],
    ['start-build', `${applicationUrl}/new-build`],
    ['build', buildUrl],
    ['workloads', '/workloads'],
    ['workload', workloadUrl],
    ['workload-releases', `${workloadUrl}/releases`],
    ['workload-instances', `${workloadUrl}/instances`],
    ['start-release', `${workloadUrl}/new-release`],
    ['release', releaseUrl],
    ['nothing', '/no-such-place'],
  ]
}

function pathOf(page: Page): string {
  return new URL(page.url()).pathname
}

/** Waits until a page has what it asks for. */
/** Goes somewhere by the palette: Ctrl-K, a part of the name, Enter. */
async function choose(page: Page, typed: string, group: string): Promise<void> {
  await page.keyboard.press('Control+k')
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('combobox').waitFor()
  await page.keyboard.type(typed)
  await dialog
    .locator('[cmdk-group]', { hasText: group })
    .locator('[cmdk-item][data-selected=true]')
    .waitFor()
  await page.keyboard.press('Enter')
}

/** Reaches a button by Tab and presses Enter; fails when it cannot be reached. */
async function press(page: Page, button: ReturnType<Page['getByRole']>): Promise<void> {
  await button.waitFor()
  await expect.poll(() => button.isEnabled()).toBe(true)
  for (let tabs = 0; tabs < 80; tabs += 1) {
    if (await button.evaluate((element) => element === element.ownerDocument.activeElement)) {
      await page.keyboard.press('Enter')
      return
    }
    await page.keyboard.press('Tab')
  }
  throw new Error('this button is not in the tab order')
}
