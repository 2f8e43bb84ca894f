/* The console while the world changes: tabs that share one stream, questions answered in place, programs signed in, sessions. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

import { systemClock, waitFor } from '@slipway/kit'
import { freePort } from '@slipway/testkit'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { cliAt } from '../journey/cli.ts'
import { PASSWORD, settleIn, WORKLOAD, type Developer } from '../journey/developer.ts'
import { checkout, makeHome, removeHome, startProduct, type Product } from '../journey/product.ts'
import { makeRepository } from '../journey/repository.ts'
import {
  accessibilityFindings,
  browserPath,
  keepPicture,
  looks,
  openBrowser,
  visit,
  type Look,
  type Session,
  type Visitor,
} from './browser.ts'
import { killPlatform } from './kill.ts'
import { foreignWords } from './languages.ts'
import { layLine, type Line } from './line.ts'

const LONG_MS = 120_000
const MATE = 'a mate of the long journey'
let home = ''
let product: Product
let ann: Developer
let line: Line
let browser: Browser
let release = ''
const waiting = new Set<ChildProcess>()
const sessions = new Map<string, Session>()

describe.skipIf(browserPath === undefined)('the console while the world changes', () => {
  beforeAll(async () => {
    home = await makeHome()
    const repository = await makeRepository(home)
    const ports = { platform: await freePort(), gateway: await freePort(), cluster: await freePort() }
    product = await startProduct(home, ports)
    line = await layLine(ports.platform)
    browser = await openBrowser([
      `--host-resolver-rules=MAP localhost:${ports.platform} 127.0.0.1:${line.port}`,
    ])
    ann = await settleIn(product, home)
    await ann.nameSource(repository)
    const build = await ann.build(repository.commits[0])
    const plan = ['--steps', '1,person,rest', '--detach']
    const started = await ann.cli.json('release', 'start', WORKLOAD, '--image', build, ...plan)
    release = String(started['id'])
    await ann.reaches('WaitPerson')
  })

  afterAll(async () => {
    // A test that failed leaves its command waiting for an answer.
    for (const command of waiting) command.kill()
    await browser?.close()
    await line?.[Symbol.asyncDispose]()
    await product?.stop()
    if (home !== '') await removeHome(home)
  })

  test('lets a program sign in that shows a code, by the keyboard, after asking who is there', async () => {
    await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en' })
    const { page } = visitor
    const program = await startSigningIn('approved')
    await page.goto(program.address)
    await page.getByLabel('Name', { exact: true }).fill('ann')
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.keyboard.press('Enter')
    await page.getByText(program.code).waitFor()
    await page.getByText(`, ${hostname()}`).waitFor()
    await page.getByRole('button', { name: 'Approve' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Approved' }).waitFor()
    expect(await program.exit).toBe(0)
    expect(await program.cli.json('whoami')).toMatchObject({ user: { name: 'ann' } })

    const refused = await startSigningIn('denied')
    await page.goto('/device')
    await page.getByRole('textbox', { name: 'Code' }).fill('nonsense')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').getByText('no vowels').waitFor()
    await page.getByRole('textbox', { name: 'Code' }).fill(refused.code.toLowerCase().replace('-', ''))
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Deny' }).click()
    await page.getByRole('heading', { name: 'Denied' }).waitFor()
    expect(await refused.exit).not.toBe(0)

    await page.goto('/device?code=BCDF-GHJK')
    await page.getByRole('heading', { name: 'Nobody waits for this code' }).waitFor()
    // The browser itself says so of every answer that is a refusal.
    expect(visitor.complaints().filter((said) => !said.includes('404'))).toEqual([])
  })

  test('two tabs share one stream, which outlives the first of them', async () => {
    await using visitor = await signedIn({ theme: 'light', language: 'en' })
    const { page, context } = visitor
    const before = line.streams().begun
    await page.goto('/projects')
    const other = await context.newPage()
    await other.goto('/projects')
    await rowOf(other, 'shop').waitFor()
    await rowOf(page, 'shop').waitFor()
    await ann.cli.succeed(['project', 'create', 'quay', '--organization', 'acme'])
    await rowOf(page, 'quay').waitFor()
    await other.bringToFront()
    await rowOf(other, 'quay').waitFor()
    await page.close()
    await ann.cli.succeed(['project', 'create', 'pier', '--organization', 'acme'])
    await rowOf(other, 'pier').waitFor()
    // Leaving the page of the sign-in began one before.
    expect(line.streams().begun - before).toBe(1)
    expect(line.streams().open).toBe(1)
  })

  test('no row moves under the pointer; what is new waits and is said', async () => {
    await using visitor = await signedIn({ theme: 'light', language: 'en' })
    const { page } = visitor
    await page.goto('/projects')
    const first = page.getByRole('grid').getByRole('row').nth(1)
    await first.hover()
    const name = await first.getByRole('link').first().innerText()
    await ann.cli.succeed(['project', 'create', 'aft', '--organization', 'acme'])
    await page.getByRole('button', { name: 'Show 1 new' }).waitFor()
    expect(await first.getByRole('link').first().innerText()).toBe(name)
    await page.getByRole('heading', { level: 1 }).hover()
    await rowOf(page, 'aft').waitFor()
    expect(await page.getByRole('button', { name: 'Show 1 new' }).count()).toBe(0)
  })

  test('who may not answer sees the question, what it takes, and no way', async () => {
    await ann.cli.succeed(['user', 'create', 'mate', '--password-stdin'], `${MATE}\n`)
    await ann.cli.succeed(['member', 'set', 'mate', '--role', 'viewer', '--organization', 'acme'])
    await using visitor = await signedIn({ theme: 'light', language: 'en' }, 'mate', MATE)
    const { page, context } = visitor
    await page.goto('/approvals')
    await page.getByText('Nothing waits for you.').waitFor()
    await page.getByText('Waits for anybody').click()
    await page.locator('small').getByText('release:approve').waitFor()
    expect(await page.getByRole('button', { name: 'Approve' }).isDisabled()).toBe(true)
    expect(await accessibilityFindings(page)).toEqual([])
    const answer = await context.request.post(`/v1/releases/${release}/approvals`, {
      data: { approve: true, batch: 0 },
      headers: { origin: new URL(product.url).origin },
    })
    expect(answer.status()).toBe(403)
  })

  test('what a viewer may not do is shown with the role it takes, and is not tried in vain', async () => {
    await using visitor = await signedIn({ theme: 'light', language: 'en' }, 'mate', MATE)
    const { page } = visitor
    await page.goto('/workloads')
    await page.getByRole('grid').getByRole('link', { name: WORKLOAD }).click()
    const scale = page.getByRole('button', { name: 'Scale' })
    await expect.poll(() => scale.isDisabled()).toBe(true)
    // It is in the tab order all the same, and says why to whoever comes there.
    await scale.focus()
    await page.getByRole('tooltip').getByText('It takes the role developer here').waitFor()
    await page.keyboard.press('Enter')
    expect(await page.getByRole('dialog').count()).toBe(0)
    expect(await accessibilityFindings(page)).toEqual([])
    for (const [path, said] of [
      ['/users', 'It takes the platform role auditor'],
      ['/audit', 'It takes the platform role auditor'],
      ['/organizations', 'acme'],
    ] as const) {
      await page.goto(path)
      await page.getByRole('main').getByText(said).first().waitFor()
      await keepPicture(page, `viewer${path.replace('/', '-')}`)
    }
    await page.getByRole('link', { name: 'acme' }).first().click()
    await expect.poll(() => page.getByRole('button', { name: 'Add member' }).isDisabled()).toBe(true)
    expect(visitor.complaints()).toEqual([])
  })

  test.each(looks)(
    'questions and codes are accessible and speak one language: $theme, $language',
    async (look) => {
      await using visitor = await signedIn(look)
      const { page } = visitor
      const program = await startSigningIn(`${look.theme}-${look.language}`)
      const problems: string[] = []
      for (const [name, path] of [
        ['approvals', '/approvals'],
        ['device-question', program.address],
      ] as const) {
        await page.goto(path)
        await page.getByRole('heading', { level: 2 }).first().waitFor()
        await expect.poll(() => page.locator('.loading').count(), { timeout: 30_000 }).toBe(0)
        await keepPicture(page, `${name}-${look.theme}-${look.language}`)
        for (const finding of await accessibilityFindings(page)) problems.push(`${name}: ${finding}`)
        for (const word of await foreignWords(page, look.language, DATA)) problems.push(`${name}: ${word}`)
      }
      await page.getByRole('button', { name: look.language === 'en' ? 'Deny' : '拒绝' }).click()
      await program.exit
      expect(problems).toEqual([])
      expect(visitor.complaints()).toEqual([])
    },
  )

  test('a timeline goes on after the platform was killed, when the question is answered in another tab', async () => {
    await using visitor = await signedIn({ theme: 'light', language: 'en' })
    const { page, context } = visitor
    await page.goto(`/releases/${release}`)
    await page.getByRole('button', { name: 'Approve' }).waitFor()
    const loadedAt = await page.evaluate('performance.timeOrigin')
    await killPlatform(home)
    await page.getByText('No connection to the server since').waitFor({ timeout: LONG_MS })
    await page.getByText('No connection to the server since').waitFor({ state: 'hidden', timeout: LONG_MS })

    const inbox = await context.newPage()
    await inbox.goto('/')
    await inbox.getByRole('link', { name: /Approvals/u }).click()
    const question = inbox.getByRole('listitem').filter({ hasText: WORKLOAD })
    await question.getByText('Hide').waitFor()
    await question.getByRole('button', { name: 'Approve' }).click()
    await inbox.getByRole('dialog').getByLabel('Comment').fill('steady as she goes')
    await inbox.getByRole('dialog').getByRole('button', { name: 'Approve' }).click()
    await inbox
      .getByText('Nothing waits for you.')
      .or(inbox.getByText('answered, or no longer asked'))
      .waitFor()

    await page.bringToFront()
    await page.locator('.page-title').getByText('done').waitFor({ timeout: LONG_MS })
    await page.locator('.timeline').getByText('steady as she goes').waitFor()
    expect(await page.evaluate('performance.timeOrigin')).toBe(loadedAt)
    expect(line.streams().open).toBe(1)
  })

  test('who signs out in one tab is signed out in all, and what was typed is kept for who comes back', async () => {
    await using visitor = await signedIn({ theme: 'light', language: 'en' })
    const { page, context } = visitor
    await page.goto('/new-application')
    await page.getByLabel('Name', { exact: true }).fill('Half typed')
    const other = await context.newPage()
    await other.goto('/')
    await other.getByRole('button', { name: /Account and settings/u }).click()
    await other.getByRole('button', { name: 'Sign out' }).click()
    sessions.delete('ann')
    await other.getByRole('heading', { name: 'Sign in' }).waitFor()

    await page.bringToFront()
    const dialog = page.getByRole('dialog', { name: 'You have signed out' })
    await dialog.waitFor()
    await keepPicture(page, 'signed-out-elsewhere')
    expect(await accessibilityFindings(page)).toEqual([])
    await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await dialog.getByRole('button', { name: 'Sign in' }).click()
    await dialog.waitFor({ state: 'hidden' })
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Half typed')
    expect(new URL(page.url()).pathname).toBe('/new-application')
  })
})

/** What people and machines named in this run; it belongs to no language. */
const DATA = [
  hostname(),
  WORKLOAD,
  'ann',
  'slipway',
  '127.0.0.1',
  'host/node',
  'node',
  'web',
  '["sh","start.sh"]',
  '["sh","stop.sh"]',
  '/healthz',
  '50m',
  '96Mi',
]

/** A visitor with the person's one session of this run: an account may sign in only so often a minute. */
async function signedIn(look: Look, name = 'ann', password = PASSWORD): Promise<Visitor> {
  const session = sessions.get(name) ?? (await signIn(name, password))
  sessions.set(name, session)
  const visitor = await visit(browser, { url: product.url, ...look, session })
  await visitor.page.addInitScript(`localStorage.setItem('slipway.signed-in', 'yes')`)
  return visitor
}

async function signIn(name: string, password: string): Promise<Session> {
  await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en' })
  const answer = await visitor.context.request.post('/v1/sessions', {
    data: { name, password },
    headers: { origin: new URL(product.url).origin },
  })
  expect(answer.status()).toBe(201)
  return await visitor.context.storageState()
}

function rowOf(page: Page, slug: string) {
  return page.getByRole('grid').getByRole('row').filter({ hasText: slug }).first()
}

/** `slipway login` on a machine without a browser; resolves when it shows its code. */
async function startSigningIn(name: string) {
  const own = join(home, `machine-${name}`)
  await mkdir(own)
  const child = spawn(
    process.execPath,
    [join(checkout, 'packages/cli/bin/slipway.js'), 'login', '--device'],
    {
      cwd: own,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: own,
        LANG: 'en_US.UTF-8',
        SLIPWAY_SERVER: product.url,
        SLIPWAY_CONFIG: join(own, 'cli.json'),
      },
    },
  )
  waiting.add(child)
  let said = ''
  child.stderr.on('data', (part: Buffer) => (said += part.toString('utf8')))
  const exit = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code))).finally(
    () => waiting.delete(child),
  )
  const address = await waitFor(
    systemClock,
    'the command to show where to sign in',
    () => {
      if (child.exitCode !== null) throw new Error(`slipway login ended: ${said}`)
      return /http\S+\/device\?code=\S+/u.exec(said)?.[0]
    },
    { timeoutMs: LONG_MS },
  )
  return { address, code: address.slice(-'BCDF-GHJK'.length), exit, cli: cliAt(own, product.url) }
}
