/* Looking closely at what runs, and administering: logs, terminal, variables, Clusters, Organizations, audit. */
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

import { freePort } from '@slipway/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { startAgent } from '../agent/agent-process.ts'
import { settleIn, WORKLOAD, type Developer } from '../journey/developer.ts'
import { makeHome, removeHome, startProduct, type Product } from '../journey/product.ts'
import {
  accessibilityFindings,
  browserPath,
  keepPicture,
  looks,
  openBrowser,
  PASSWORD,
  visit,
  type Session,
} from './browser.ts'
import { embeddedPlace } from './embedded.ts'
import { replacePlatform } from './kill.ts'
import { PASTE_TWO_LINES, allLines, heldLines, screenOf, sourcesOf } from './log-page.ts'
import { clearPlacement, placeByForm } from './placement.ts'
import { DATA, screens } from './places.ts'
import { problemsOf, tooWide } from './walk.ts'
import { makeNoisyRepository } from './noisy.ts'

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
    await page.locator('.line-row').nth(3).locator('.line-time').click()
    // Which row that was is only certain now: the list may have moved until it was pressed.
    const wanted = await page.locator('.line-row.is-linked .line-text').textContent()
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
    await replacePlatform(home, product.url)
    const before = await heldLines(page)
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
    const scrolled = () => list.evaluate((element) => element.scrollTop)
    // Older lines may still come, and what is read keeps its place then.
    await expect.poll(() => page.keyboard.press('Home').then(scrolled), DEADLINE).toBe(0)
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
    // The refusal of the first one is what the browser itself writes down.
    expect(visitor.complaints().filter((said) => !said.includes('dryRun=true'))).toEqual([])
  })

  test('a Cluster in a closed network is registered by its agent, and the page sees it dial', async () => {
    await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en', session })
    const { page } = visitor
    await page.goto('/new-cluster?by=agent')
    await page.getByLabel('Name', { exact: true }).fill('Far')
    await page.getByRole('button', { name: 'Register' }).click()
    const manifest = (await page.locator('.yaml pre').textContent()) ?? ''
    await page.getByText('The agent has not dialled yet').waitFor()
    expect(await accessibilityFindings(page)).toEqual([])
    await using _agent = await startAgent(manifest, await embeddedPlace(product))
    await page.getByText('The agent has dialled').waitFor(DEADLINE)
    await page.getByRole('link', { name: 'Go to Far' }).click()
    await page.getByText('its own agent, which dials the platform').waitFor()
    await page.getByText('cluster.agent.register').waitFor()
    await keepPicture(page, 'cluster-by-agent')
    await page.getByRole('button', { name: 'Forget' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Forget' }).click()
    await page.getByRole('heading', { level: 1, name: 'Clusters' }).waitFor()
    expect(visitor.complaints()).toEqual([])
  })

  test('many Instances are restarted at once, after a preview and with a report for each', async () => {
    await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en', session })
    const { page } = visitor
    await page.goto(`${workloadPath}/instances`)
    const grid = page.getByRole('grid', { name: 'Instances' })
    await expect.poll(() => grid.getByText('ready', { exact: true }).count(), DEADLINE).toBe(2)
    const before = await grid.getByRole('link', { name: /^web-/u }).allTextContents()
    await page.getByRole('button', { name: 'Choose all 2' }).click()
    await page
      .getByRole('group', { name: 'With many at once' })
      .getByRole('button', { name: 'Restart' })
      .click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('2 would be done, 0 refused. Nothing is done yet.').waitFor(DEADLINE)
    expect(await accessibilityFindings(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Restart (2)' }).click()
    await dialog.getByText('2 done, 0 refused, 0 to go.').waitFor(DEADLINE)
    await keepPicture(page, 'bulk-report')
    await dialog.locator('.ant-modal-footer').getByRole('button', { name: 'Close' }).click()
    // Under the pointer nothing moves, not even what has ended.
    await page.mouse.move(0, 0)
    await expect
      .poll(async () => {
        const names = await grid.getByRole('link', { name: /^web-/u }).allTextContents()
        return names.length === 2 && names.every((name) => !before.includes(name))
      }, DEADLINE)
      .toBe(true)
    await page.goto('/applications')
    await page.getByLabel('Filter by name').fill('no such name')
    await page.getByText('No Application has this in its name.').waitFor(DEADLINE)
    await page.getByLabel('Filter by name').fill('we')
    await page.getByRole('grid').getByRole('link', { name: 'web' }).first().waitFor(DEADLINE)
    expect(visitor.complaints()).toEqual([])
  })

  test('a drain is shown before it begins, while it is under way, and stopped', async () => {
    await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en', session })
    const { page } = visitor
    const [cluster] = (await developer.cli.json('cluster', 'list')) as unknown as readonly {
      readonly id: string
    }[]
    await page.goto(`/clusters/${cluster?.id ?? ''}/nodes/${hostname()}`)
    await page.getByRole('button', { name: 'Drain' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('No other node is ready').waitFor(DEADLINE)
    await dialog.getByRole('link', { name: WORKLOAD }).waitFor()
    expect(await accessibilityFindings(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Drain' }).click()
    const panel = page.getByRole('region', { name: 'Drain' })
    await panel.getByText('under way').waitFor(DEADLINE)
    await keepPicture(page, 'drain')
    await panel.getByRole('button', { name: 'Stop' }).click()
    await dialog.getByRole('button', { name: 'Stop' }).click()
    await panel.getByText('stopped').waitFor(DEADLINE)
    await page.getByRole('button', { name: 'Take nothing new' }).waitFor(DEADLINE)
    expect(visitor.complaints()).toEqual([])
  })

  test('an Instance leads to its node, and the node to who takes how much of it', async () => {
    await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en', session })
    const { page } = visitor
    await page.goto(`${workloadPath}/instances`)
    await page.getByRole('grid').getByRole('row').nth(1).getByRole('link').first().click()
    const shared = page.getByRole('grid', { name: 'Who shares its node' })
    await shared.getByText('this one').waitFor(DEADLINE)
    await expect.poll(() => shared.getByText(WORKLOAD).count(), DEADLINE).toBe(2)
    await page.getByRole('link', { name: hostname() }).first().click()
    await page.getByRole('region', { name: 'By Project' }).getByRole('link', { name: 'shop' }).waitFor()
    await page.getByRole('grid', { name: 'What runs on it' }).getByText(WORKLOAD).first().waitFor()
    expect(visitor.complaints()).toEqual([])
  })

  test('where Instances may run is said by a form, shown as a change, saved, and taken back', async () => {
    await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en', session })
    await visitor.page.goto(`${workloadPath}/settings`)
    await placeByForm(visitor.page)
    const { placement } = await developer.cli.json('workload', 'show', WORKLOAD)
    expect(placement).toMatchObject({ web: { apart: [{ application: 'web', over: 'host' }] } })
    await clearPlacement(visitor.page)
  })

  test('a Location is made, asked for, granted until a day, and both sides see what became of it', async () => {
    await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en', session })
    const { page } = visitor
    await page.goto('/locations')
    await page.getByRole('button', { name: 'New Location' }).click()
    await page.getByRole('dialog').getByLabel('Name', { exact: true }).fill('vault')
    await page.getByRole('dialog').getByText('Only Projects that are granted it').click()
    await page.getByRole('dialog').getByRole('button', { name: 'Create' }).click()
    await page.getByRole('heading', { level: 1, name: 'vault' }).waitFor(DEADLINE)
    await page.getByText('No Project has asked for it yet.').waitFor()

    const reason = ['--project', 'shop', '--reason', 'near the customers']
    await developer.cli.succeed(['location', 'request', 'vault', ...reason])
    await page.goto('/')
    await page.getByRole('link', { name: 'shop asks for vault' }).click()
    await page.getByRole('button', { name: 'Grant' }).click()
    await page.getByLabel('Until').fill('2099-05-01T08:00')
    await page.getByRole('dialog').getByRole('button', { name: 'Grant' }).click()
    await page.getByRole('list', { name: 'Who may use it' }).getByText('until May 1, 2099').waitFor(DEADLINE)
    const grants = await developer.cli.json('location', 'grants', '--state', 'Granted')
    expect(grants).toMatchObject([{ decidedByName: 'bea', project: { slug: 'shop' } }])

    await page.getByRole('link', { name: 'shop', exact: true }).click()
    await page.getByRole('list', { name: 'Locations on request' }).getByText('granted').waitFor(DEADLINE)
    expect(visitor.complaints()).toEqual([])
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
    const isRefused = (name: string) => page.getByRole('button', { name, exact: true }).isDisabled()
    await expect.poll(() => isRefused('Open'), DEADLINE).toBe(true)
    await page.goto(`${workloadPath}/variables`)
    await expect.poll(() => isRefused('Add variable'), DEADLINE).toBe(true)
    // The page only says so; the server decides.
    const made = await visitor.context.request.post(`/v1${workloadPath}/config-revisions`, {
      data: { set: [{ name: 'MINE', value: '1' }] },
      headers: { origin: new URL(product.url).origin },
    })
    expect(made.status()).toBe(403)
    for (const path of ['/users', '/audit']) {
      await page.goto(path)
      await page.getByRole('main').getByText('It takes the platform role auditor').waitFor(DEADLINE)
    }
    expect(visitor.complaints()).toEqual([])
  })

  test.each(looks)('every screen is accessible and speaks one language: $theme, $language', async (look) => {
    await using visitor = await visit(browser, { url: product.url, ...look, session })
    const problems = await problemsOf(visitor, {
      look,
      screens: await screens(developer, workloadPath),
      data: DATA,
    })
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
    expect(await tooWide(visitor.page, await screens(developer, workloadPath), 360)).toEqual([])
  })

  test('no browser reported a broken policy', async () => {
    const log = await readFile(join(home, 'data', 'logs', 'platform.log'), 'utf8')
    expect(log.split('\n').filter((line) => line.includes('content security policy'))).toEqual([])
  })
})

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
