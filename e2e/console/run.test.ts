/* Looking closely at what runs, and administering: logs, terminal, variables, Clusters, Organizations, audit. */
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

import { freePort } from '@slipway/testkit'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { settleIn, WORKLOAD, type Developer } from '../journey/developer.ts'
import { findProcesses, makeHome, removeHome, startProduct, type Product } from '../journey/product.ts'
import { browserPath, keepPicture, looks, openBrowser, PASSWORD, visit } from './browser.ts'
import { problemsOf, tooWide } from './walk.ts'
import { makeNoisyRepository } from './noisy.ts'

type Session = Awaited<ReturnType<BrowserContext['storageState']>>
const DEADLINE = { timeout: 120_000 }

let home = ''
let product: Product
let developer: Developer
let browser: Browser
let session: Session
let workloadPath = ''
let address = ''

describe.skipIf(browserPath === undefined)('what runs, and who may', () => {
  beforeAll(async () => {
    home = await makeHome()
    product = await startProduct(home, {
      platform: await freePort(),
      gateway: await freePort(),
      cluster: await freePort(),
    })
    developer = await settleIn(product, home)
    const { cli } = developer
    await cli.succeed(['source', 'set', 'shop/web', await makeNoisyRepository(home)])
    const { id } = await cli.json('build', 'start', 'shop/web')
    await cli.succeed(['release', 'start', WORKLOAD, '--image', String(id), '--steps', 'rest'])
    await cli.succeed(['workload', 'scale', WORKLOAD, '2'])
    await cli.succeed(['user', 'create', 'bea', '--role', 'operator', '--password-stdin'], `${PASSWORD}\n`)
    await cli.succeed(['user', 'create', 'vic', '--password-stdin'], `${PASSWORD}\n`)
    await cli.succeed(['member', 'set', 'vic', '--role', 'viewer', '--organization', 'acme'])
    const workload = await cli.json('workload', 'show', WORKLOAD)
    workloadPath = `/workloads/${String(workload['id'])}`
    address = await developer.address()
    browser = await openBrowser()
    session = await signIn('bea')
  })

  afterAll(async () => {
    await browser?.close()
    await product?.stop()
    if (home !== '') await removeHome(home)
  })

  test('the logs of all Instances are one, and nothing a program writes does anything to the page', async () => {
    await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en', session })
    const { page } = visitor
    await page.goto(`${workloadPath}/logs`)
    await expect.poll(() => sourcesOf(page), DEADLINE).toHaveLength(2)
    await fetch(`${address}/?strange=1&long=200000`)
    await page.getByLabel('Find in the lines').fill('red alert')
    await page.locator('.log-tools').getByText('1 matches').waitFor()
    await page.keyboard.press('Enter')
    const line = page.locator('.line-row.is-here')
    await line.waitFor()
    expect(await line.locator('.look-c1').textContent()).toBe('red alert')
    expect(await page.title()).toContain('shop/web/production')
    await page.getByLabel('Find in the lines').fill('onerror')
    await page.locator('.log-tools').getByText('1 matches').waitFor()
    await page.getByLabel('Only matches').click()
    await expect.poll(() => page.locator('.line-row').count()).toBe(1)
    expect(await page.locator('.lines img').count()).toBe(0)
    await page.getByLabel('Find in the lines').fill('long xxx')
    await page.locator('.line-row .line-more').click()
    await page.getByText('the rest of this line was too long').waitFor()
    expect(visitor.complaints()).toEqual([])
  })

  test('a link leads to its line with what stands around it', async () => {
    await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en', session })
    const { page } = visitor
    await page.goto(`${workloadPath}/logs?find=order&only=true`)
    await page.locator('.line-row').first().waitFor(DEADLINE)
    await page.getByRole('log').focus()
    await page.keyboard.press('Home')
    const first = page.locator('.line-row').nth(3)
    const wanted = await first.locator('.line-text').textContent()
    await first.locator('.line-time').click()
    await page.locator('.line-row.is-linked').waitFor()
    const link = page.url()

    await page.goto('/projects')
    await page.goto(link)
    const linked = page.locator('.line-row.is-linked .line-text')
    await linked.waitFor(DEADLINE)
    expect(await linked.textContent()).toBe(wanted)
    expect(await page.locator('.line-row').count()).toBeGreaterThan(3)
    expect(visitor.complaints()).toEqual([])
  })

  test('a platform that is killed loses no line of a log and doubles none, without a reload', async () => {
    await using visitor = await visit(browser, { url: product.url, theme: 'dark', language: 'en', session })
    const { page } = visitor
    await page.goto(`${workloadPath}/logs?wrap=false&find=accepted&only=true`)
    await expect.poll(() => sourcesOf(page), DEADLINE).toHaveLength(2)
    const loadedAt = await page.evaluate('performance.timeOrigin')
    const before = await heldLines(page)
    await killPlatform()
    await expect.poll(() => heldLines(page), DEADLINE).toBeGreaterThan(before + 40)
    expect(await page.evaluate('performance.timeOrigin')).toBe(loadedAt)
    const lines = await allLines(page)
    const bySource = Map.groupBy(lines, ({ source }) => source)
    expect(bySource.size).toBe(2)
    for (const [source, own] of bySource) {
      const numbers = own.map(({ text }) => Number(/order (\d+)/u.exec(text)?.[1]))
      const gaps = numbers.slice(1).filter((number, index) => number !== (numbers[index] ?? 0) + 1)
      expect(gaps, `${source}: ${numbers.join(' ')}`).toEqual([])
    }
  })

  test('two hundred thousand lines stay a list one can move in', async () => {
    await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en', session })
    const { page } = visitor
    for (let times = 0; times < 4; times += 1) await fetch(`${address}/?lines=50000`)
    await page.goto(`${workloadPath}/logs?since=all`)
    await expect.poll(() => heldLines(page), { timeout: 200_000 }).toBeGreaterThan(190_000)
    const list = page.getByRole('log')
    await list.focus()
    await page.keyboard.press('Home')
    await expect.poll(() => list.evaluate((element) => element.scrollTop)).toBe(0)
    expect(await page.locator('.line-row').count()).toBeLessThan(200)
    await page.getByLabel('Find in the lines').fill('burst 49999 of')
    await expect
      .poll(() => page.locator('.log-tools [role=status]').textContent(), DEADLINE)
      .toMatch(/^[1-4] matches$/u)
    await page.keyboard.press('Enter')
    await page.locator('.line-row.is-here').getByText('burst 49999 of').waitFor()
    expect(visitor.complaints()).toEqual([])
  })

  test('a terminal fits its window before the first prompt, asks before it pastes lines, and ends with the session', async () => {
    const own = await signIn('bea')
    await using visitor = await visit(browser, {
      url: product.url,
      theme: 'dark',
      language: 'en',
      session: own,
    })
    const { page } = visitor
    await page.goto(`${workloadPath}/terminal`)
    await page.getByRole('button', { name: 'Open', exact: true }).click()
    const state = page.locator('.terminal-bar [role=status]')
    await state.getByText('connected').waitFor(DEADLINE)
    const frame = page.frameLocator('iframe[title=Terminal]')
    await frame.locator('.xterm-screen').click()
    await page.keyboard.type('stty size\n')
    await expect.poll(() => screenOf(page), DEADLINE).toMatch(/\b\d{2} \d{2,3}\b/u)
    const inner = page.frames().find((one) => one.url().endsWith('/console/terminal'))
    await inner?.evaluate(`(${PASTE_TWO_LINES})(document.querySelector('textarea'))`)
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Paste 2 lines?').waitFor()
    expect(await screenOf(page)).not.toContain('pasted-one')
    await keepPicture(page, 'terminal-paste')
    await dialog.getByRole('button', { name: 'Paste' }).click()
    await expect.poll(() => screenOf(page), DEADLINE).toContain('pasted-two')
    await page.keyboard.press('Control+]')
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Close')
    expect(visitor.complaints()).toEqual([])

    await visitor.context.request.delete('/v1/sessions/current', { headers: { origin: product.url } })
    await state.getByText('connected').waitFor({ state: 'hidden', ...DEADLINE })
    await page.getByRole('dialog', { name: 'Your session has ended' }).waitFor(DEADLINE)
  })

  test('variables are saved with what they change, a secret is never shown again, and leaving asks', async () => {
    await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en', session })
    const { page } = visitor
    await page.goto(`${workloadPath}/variables`)
    await page.getByRole('button', { name: 'Add variable' }).click()
    await page.keyboard.type('LOG_LEVEL')
    await page.getByLabel('Value LOG_LEVEL').fill('debug')
    await page.getByRole('button', { name: 'Add variable' }).click()
    await page.keyboard.type('API_KEY')
    await page.getByLabel('Secret API_KEY').check()
    await page.getByLabel('Value API_KEY').fill('not-for-eyes')
    await page.getByRole('link', { name: 'Logs' }).click()
    await page.getByRole('dialog').getByText('Leave without saving?').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('button', { name: 'Review and save' }).click()
    const dialog = page.getByRole('dialog', { name: /Save as revision/u })
    await dialog.getByText('debug').waitFor()
    expect(await dialog.textContent()).not.toContain('not-for-eyes')
    await keepPicture(page, 'variables-save')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await page.getByText('It takes effect with the next Release.').waitFor()
    await page.reload()
    await page.getByRole('rowheader', { name: 'API_KEY' }).waitFor()
    expect(await page.content()).not.toContain('not-for-eyes')
    expect(await page.getByLabel('Value LOG_LEVEL').inputValue()).toBe('debug')
    expect(visitor.complaints()).toEqual([])
  })

  test('an Instance is restarted by keyboard from the list of Instances', async () => {
    await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en', session })
    const { page } = visitor
    await page.goto(`${workloadPath}/instances`)
    const rows = page.getByRole('grid').getByRole('row')
    await rows.nth(1).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'What the Cluster reports' }).waitFor()
    const name = await page.getByRole('heading', { level: 1 }).textContent()
    await page.getByRole('button', { name: 'Restart' }).press('Enter')
    await page.getByRole('dialog').getByRole('button', { name: 'Restart' }).press('Enter')
    await page.goto(`${workloadPath}/instances`)
    await expect.poll(() => page.locator(`.grid-body [title="${name ?? ''}"]`).count(), DEADLINE).toBe(0)
    await expect
      .poll(() => page.getByRole('grid').getByText('ready', { exact: true }).count(), DEADLINE)
      .toBe(2)
    expect(visitor.complaints()).toEqual([])
  })

  test('a kubeconfig is checked before it is registered, and refused with what is wrong', async () => {
    await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en', session })
    const { page } = visitor
    await page.goto('/new-cluster')
    await page.getByLabel('Name', { exact: true }).fill('Second')
    await page.locator('#new-kubeconfig').fill('users: [{name: a, user: {exec: {command: sh}}}]')
    await page.getByRole('button', { name: 'Check' }).click()
    await page.getByRole('alert').waitFor(DEADLINE)
    await page.locator('#new-kubeconfig').fill(await readFile(product.kubeconfig, 'utf8'))
    await page.getByRole('button', { name: 'Check' }).click()
    await page.getByText('It would be accepted').waitFor(DEADLINE)
    expect((await visitor.context.request.get('/v1/clusters')).ok()).toBe(true)
    await page.getByRole('button', { name: 'Register' }).click()
    await page.getByRole('heading', { level: 1, name: 'Second' }).waitFor(DEADLINE)
    await page.getByRole('button', { name: 'Forget' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Forget' }).click()
    await page.getByRole('heading', { level: 1, name: 'Clusters' }).waitFor()
    // The refusal of the first one is what the browser itself writes down, and that the forgotten one is not there any more.
    const due = visitor.complaints().filter((said) => !said.includes('dryRun=true') && !said.includes('404'))
    expect(due).toEqual([])
  })

  test('a token is shown once, works, and is revoked', async () => {
    await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en', session })
    const { page } = visitor
    await page.goto('/tokens')
    await page.getByRole('button', { name: 'New token' }).click()
    await page.getByRole('dialog').getByLabel('Name').fill('for a test')
    await page.getByRole('dialog').getByRole('button', { name: 'Create' }).click()
    const secret = (await page.locator('.secret code').textContent()) ?? ''
    expect(secret.length).toBeGreaterThan(20)
    const ask = () => fetch(`${product.url}/v1/account`, { headers: { authorization: `Bearer ${secret}` } })
    expect((await ask()).status).toBe(200)
    await page.getByRole('dialog').locator('.ant-modal-footer').getByRole('button', { name: 'Close' }).click()
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    await page.getByRole('grid').getByText('for a test').waitFor()
    expect(await page.content()).not.toContain(secret)
    await page.getByRole('button', { name: 'Revoke' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
    await expect.poll(async () => (await ask()).status, DEADLINE).toBe(401)
    // A row that is gone stays in its place while somebody looks at the list.
    await page.reload()
    await page.getByText('You have no tokens.').waitFor()
    expect(visitor.complaints()).toEqual([])
  })

  test('the audit log is narrowed in the address, verified and exported', async () => {
    await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en', session })
    const { page } = visitor
    await page.goto('/organizations')
    await page.getByRole('grid').getByRole('link', { name: 'acme' }).click()
    await page.getByRole('link', { name: 'Audit log' }).first().waitFor()
    await page.getByRole('navigation', { name: 'acme' }).getByRole('link', { name: 'Audit log' }).click()
    await page.getByLabel('Action', { exact: true }).fill('release.start')
    await expect.poll(() => page.url()).toContain('action=release.start')
    await expect.poll(() => page.getByRole('grid').getByRole('row').count()).toBe(2)
    await page.getByRole('button', { name: 'Verify the chain' }).click()
    await page.getByText('none changed, none missing').waitFor(DEADLINE)
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export' }).click(),
    ])
    const lines = (await readFile(await file.path(), 'utf8')).trim().split('\r\n')
    expect(lines).toHaveLength(2)
    expect(lines[1]).toContain('release.start')
    expect(visitor.complaints()).toEqual([])
  })

  test('who may only look is told so, and nothing happens', async () => {
    await using visitor = await visit(browser, {
      url: product.url,
      theme: 'light',
      language: 'en',
      session: await signIn('vic'),
    })
    const { page } = visitor
    await page.goto(`${workloadPath}/logs`)
    await expect.poll(() => sourcesOf(page), DEADLINE).toHaveLength(2)
    await page.goto(`${workloadPath}/terminal`)
    await page.getByRole('button', { name: 'Open', exact: true }).click()
    await page.locator('.terminal [role=alert]').waitFor(DEADLINE)
    await page.goto(`${workloadPath}/variables`)
    await page.getByRole('button', { name: 'Add variable' }).click()
    await page.keyboard.type('MINE')
    await page.getByRole('button', { name: 'Review and save' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
    await page.getByRole('dialog').getByRole('alert').waitFor()
    for (const path of ['/users', '/audit']) {
      await page.goto(path)
      await page.getByRole('alert').first().waitFor(DEADLINE)
    }
  })

  test.each(looks)('every screen is accessible and speaks one language: $theme, $language', async (look) => {
    await using visitor = await visit(browser, { url: product.url, ...look, session })
    const problems = await problemsOf(visitor, { look, screens: await screens(), data: DATA })
    expect(problems).toEqual([])
  })

  test('a window of 360 pixels shows every screen without scrolling sideways', async () => {
    await using visitor = await visit(browser, {
      url: product.url,
      theme: 'dark',
      language: 'en',
      session,
      widthPx: 360,
    })
    expect(await tooWide(visitor.page, await screens(), 360)).toEqual([])
  })

  test('no browser reported a broken policy', async () => {
    const log = await readFile(join(home, 'data', 'logs', 'platform.log'), 'utf8')
    expect(log.split('\n').filter((line) => line.includes('content security policy'))).toEqual([])
  })
})

/** What people and machines named in this run; it belongs to no language. */
const DATA = [
  hostname(),
  'shop/web/production',
  'production',
  'acme',
  'shop',
  'web',
  'ann',
  'bea',
  'vic',
  'local',
  'admin',
  'anonymous',
  'system',
  'API_KEY',
  'LOG_LEVEL',
  // Codes of errors, the same in every language.
  'permission_missing',
  'not_found',
  'caller_gone',
]

/** What a person pastes, as the browser tells the page. */
const PASTE_TWO_LINES = `(element) => {
  const clipboardData = new DataTransfer()
  clipboardData.setData('text/plain', 'echo pasted-one\\necho pasted-two\\n')
  element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
}`

/** Moves through a log from the beginning and collects what is drawn; two pictures for each step, to notice and to draw. */
const WALK = `async (list) => {
  const found = new Map()
  const textOf = (row, selector) => row.querySelector(selector)?.textContent ?? ''
  list.scrollTop = 0
  for (;;) {
    for (let pictures = 0; pictures < 2; pictures += 1) await new Promise((resolve) => requestAnimationFrame(resolve))
    for (const row of list.querySelectorAll('.line-row')) {
      const line = { source: textOf(row, '.line-source'), text: textOf(row, '.line-text') }
      found.set([line.source, textOf(row, '.line-time'), line.text].join(' '), line)
    }
    if (list.scrollTop + list.clientHeight >= list.scrollHeight - 2) return [...found.values()]
    list.scrollTop += list.clientHeight / 2
  }
}`

async function screens(): Promise<readonly (readonly [name: string, path: string])[]> {
  const { cli } = developer
  const [instance] = (await cli.json('instance', 'list', WORKLOAD)) as unknown as readonly {
    readonly id: string
  }[]
  const [cluster] = (await cli.json('cluster', 'list')) as unknown as readonly { readonly id: string }[]
  const [organization] = (await cli.json('organization', 'list')) as unknown as readonly {
    readonly id: string
  }[]
  return [
    ['workload-logs', `${workloadPath}/logs?find=order&wrap=false`],
    ['workload-terminal', `${workloadPath}/terminal`],
    ['workload-variables', `${workloadPath}/variables`],
    ['workload-settings', `${workloadPath}/settings`],
    ['instance', `/instances/${instance?.id ?? ''}`],
    ['clusters', '/clusters'],
    ['cluster', `/clusters/${cluster?.id ?? ''}`],
    ['cluster-instances', `/clusters/${cluster?.id ?? ''}/instances`],
    ['new-cluster', '/new-cluster'],
    ['organizations', '/organizations'],
    ['organization', `/organizations/${organization?.id ?? ''}`],
    ['organization-audit', `/organizations/${organization?.id ?? ''}/audit`],
    ['users', '/users'],
    ['tokens', '/tokens'],
    ['audit', '/audit'],
  ]
}

async function signIn(name: string): Promise<Session> {
  await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en' })
  const { page } = visitor
  await page.goto('/sign-in')
  await page.getByLabel('Name', { exact: true }).fill(name)
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor()
  return await visitor.context.storageState()
}

async function killPlatform(): Promise<void> {
  const found = (await findProcesses(home)).find(({ command }) => command.includes('platform/src/main.ts'))
  expect(found).toBeDefined()
  process.kill(found?.pid ?? 0, 'SIGKILL')
}

/** Waits until a page has what it asks for. */
async function sourcesOf(page: Page): Promise<readonly string[]> {
  return [...new Set(await page.locator('.line-source').allTextContents())]
}

async function heldLines(page: Page): Promise<number> {
  const said = (await page.locator('.log-foot').textContent()) ?? ''
  return Number((/([\d,]+) lines here/u.exec(said)?.[1] ?? '0').replaceAll(',', ''))
}

/** Every line of the list, by moving through it: only those in sight are in the page. */
async function allLines(page: Page): Promise<readonly { readonly source: string; readonly text: string }[]> {
  const lines: unknown = await page.evaluate(`(${WALK})(document.querySelector('[role=log]'))`)
  // Made by the script above.
  return lines as readonly { readonly source: string; readonly text: string }[]
}

/** What stands in the terminal. */
async function screenOf(page: Page): Promise<string> {
  const rows = await page
    .frameLocator('iframe[title=Terminal]')
    .locator('.xterm-rows > div')
    .allTextContents()
  return rows.join('\n')
}
