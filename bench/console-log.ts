/* A log of 200,000 lines, and a browser in front of it. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { pushProgram } from '@slipway/testkit'
import type { Browser, BrowserContext, Page } from 'playwright-core'

import type { Call } from './api.ts'
import { type Scrolled, scrollLog, timed } from './console-page.ts'
import type { Stack } from './stack.ts'

export const LINES = 200_000
const SCROLL_MS = 5_000
const DEADLINE_MS = 180_000
const PASSWORD = 'a long bench password'
const PROGRAM = fileURLToPath(new URL('../e2e/console/noisy/server.js', import.meta.url))

/** An Application on the embedded cluster that writes what it is asked to. @returns id of its Workload */
export async function makeLog(stack: Stack, call: Call, secret: string): Promise<string> {
  const make = async (path: string, body: unknown): Promise<string> =>
    String((await call('POST', path, body))['id'])
  const organization = await make('/v1/organizations', { slug: 'bench', name: 'Bench' })
  const project = await make(`/v1/organizations/${organization}/projects`, { slug: 'bench', name: 'Bench' })
  const environment = await make(`/v1/projects/${project}/environments`, { slug: 'test', name: 'Test' })
  const application = await make(`/v1/projects/${project}/applications`, { slug: 'noisy' })
  const workload = await make(`/v1/applications/${application}/workloads`, { environment })
  const program = readFileSync(PROGRAM, 'utf8')
  await pushProgram(stack, { secret, repository: 'bench/noisy', tag: 'one', program })
  const release = await make(`/v1/workloads/${workload}/releases`, {
    image: 'one',
    plan: { batches: [{ percent: 100 }] },
    instances: { web: 2 },
  })
  const deadline = performance.now() + DEADLINE_MS
  while ((await call('GET', `/v1/releases/${release}`))['state'] !== 'Done') {
    if (performance.now() > deadline) throw new Error('the Application that writes a log did not come up')
    await sleep(200)
  }
  const { urls } = await call('GET', `/v1/workloads/${workload}`)
  const address = (urls as readonly string[]).at(-1) ?? ''
  // In turns over both Instances, as the route divides them.
  for (let written = 0; written < LINES * 1.1; written += 20_000)
    await fetch(`${address}/?lines=20000&wide=1`)
  return workload
}

/** A visitor who is signed in; a profile that has loaded nothing yet, but for `session`. */
export async function visit(
  browser: Browser,
  url: string,
  session?: Session,
): Promise<{ readonly context: BrowserContext; readonly page: Page } & AsyncDisposable> {
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width: 1_280, height: 800 },
    locale: 'en-US',
    ...(session && { storageState: session }),
  })
  const page = await context.newPage()
  page.setDefaultTimeout(DEADLINE_MS)
  return { context, page, [Symbol.asyncDispose]: () => context.close() }
}

export type Session = Awaited<ReturnType<BrowserContext['storageState']>>

export async function openSession(browser: Browser, url: string): Promise<Session> {
  await using visitor = await visit(browser, url)
  const { page, context } = visitor
  await page.goto('/sign-in')
  await page.getByLabel('Name', { exact: true }).fill('admin')
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor()
  return await context.storageState()
}

export type LogFigures = {
  readonly filledMs: number
  readonly filterMs: number
  readonly scrolled: Readonly<Record<string, Scrolled>>
}

export async function measureLog(page: Page, workload: string): Promise<LogFigures> {
  const begin = performance.now()
  await page.goto(`/workloads/${workload}/logs?since=all`)
  const held = async (): Promise<number> => {
    const said = (await page.locator('.log-foot').textContent()) ?? ''
    return Number((/([\d,]+) lines here/u.exec(said)?.[1] ?? '0').replaceAll(',', ''))
  }
  await page.locator('.log-foot').waitFor()
  while ((await held()) < LINES * 0.98) {
    if (performance.now() - begin > DEADLINE_MS) throw new Error(`only ${await held()} lines came`)
    await sleep(100)
  }
  const filledMs = performance.now() - begin
  const scrolled: Record<string, Scrolled> = {}
  const wrap = page.getByLabel('Wrap')
  for (const wrapped of [true, false]) {
    await wrap.setChecked(wrapped)
    await page.keyboard.press('Escape')
    const how = wrapped ? 'wrapped' : 'not wrapped'
    scrolled[`${how}, as a wheel does (120 pixels a frame)`] = await scrollLog(page, 120, SCROLL_MS)
    scrolled[`${how}, fast (1,500 pixels a frame)`] = await scrollLog(page, 1_500, SCROLL_MS)
    scrolled[`${how}, to any place each frame`] = await scrollLog(page, 'jump', SCROLL_MS)
  }
  const find = page.getByLabel('Find in the lines')
  await find.focus()
  const until = `/^[\\d,]+ matches$/.test(document.querySelector('.log-tools [role=status]')?.textContent ?? '')`
  const filterMs = await timed(page, { on: 'input', until }, () => page.keyboard.insertText('burst 19999 of'))
  return { filledMs, filterMs, scrolled }
}
