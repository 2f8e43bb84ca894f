/* A real browser before a really started product, and everything it complains about. */
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import { AxeBuilder } from '@axe-core/playwright'
import { systemClock, waitFor } from '@slipway/kit'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'

import { checkout } from '../journey/product.ts'

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
]
/** Pictures of what was seen, kept after the run. */
const pictures = join(checkout, 'artifacts', 'console')

/** The browser of this machine; undefined where there is none. */
export const browserPath: string | undefined = PLACES.find((path) => existsSync(path))
if (browserPath === undefined) {
  const said =
    'e2e/console: no Chromium on this machine, so the console is not looked at; install the package chromium'
  if (process.env['CI'] === 'true') throw new Error(said)
  console.log(said)
}

export const PASSWORD = 'correct-horse-9'
export type Look = { readonly theme: 'light' | 'dark'; readonly language: 'en' | 'zh-CN' }
export const looks: readonly Look[] = (['light', 'dark'] as const).flatMap((theme) =>
  (['en', 'zh-CN'] as const).map((language) => ({ theme, language })),
)

export type Visitor = AsyncDisposable & {
  readonly page: Page
  readonly context: BrowserContext
  /** What the browser complained about since the last call: console errors, faults of the page, broken policy. */
  readonly complaints: () => readonly string[]
}

/** @param extra - further arguments of the browser */
export function openBrowser(extra: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: browserPath ?? '',
    args: ['--no-sandbox', '--disable-dev-shm-usage', ...extra],
  })
}

/** What a browser keeps of somebody who signed in. */
export type Session = Awaited<ReturnType<BrowserContext['storageState']>>

/** A visitor with a fresh profile, or with somebody's session. */
export async function visit(
  browser: Browser,
  options: Look & {
    readonly url: string
    readonly session?: Session
    readonly widthPx?: number
  },
): Promise<Visitor> {
  const { url, theme, language, session, widthPx = 1280 } = options
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width: widthPx, height: 800 },
    locale: language === 'en' ? 'en-US' : 'zh-CN',
    ...(session === undefined ? {} : { storageState: session }),
  })
  const preferences = JSON.stringify({ theme, language })
  // Set once, so that what a test changes afterwards stays changed.
  await context.addInitScript(
    `if (!sessionStorage.getItem('looked')) { sessionStorage.setItem('looked', 'yes'); localStorage.setItem('slipway.preferences', ${JSON.stringify(preferences)}) }
     document.addEventListener('securitypolicyviolation', (event) => console.error('policy: ' + event.effectiveDirective + ' ' + event.blockedURI))`,
  )
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  let said: string[] = []
  page.on('console', (message) => {
    // Somebody else plugged in a network; the console loads itself again then.
    if (message.text().includes('ERR_NETWORK_CHANGED')) return
    if (message.type() === 'error') said.push(`${message.text()} (${message.location().url})`)
  })
  page.on('pageerror', (error) => said.push(String(error.stack ?? error)))
  return {
    page,
    context,
    complaints() {
      const all = said
      said = []
      return all
    },
    [Symbol.asyncDispose]: () => context.close(),
  }
}

/** Waits until a page shows what it loads and nothing on it is on its way from one look to another. */
export async function settle(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).first().waitFor({ timeout: 60_000 })
  await rest(page)
}

async function rest(page: Page): Promise<void> {
  let before = ''
  let times = 0
  await waitFor(
    systemClock,
    'the page to rest',
    async () => {
      const seen = String(await page.evaluate(REST))
      times = seen !== '' && seen === before ? times + 1 : 0
      before = seen
      return times >= 3
    },
    { timeoutMs: 60_000, everyMs: 150 },
  )
}

/** What may be pressed, once nothing is loading. Colours on their way from one state to another are nobody's contrast. */
const REST = `document.querySelector('.loading') || document.getAnimations().length > 0 ? '' :
  'rest ' + [...document.querySelectorAll('button')].map((one) => one.disabled + ' ' + one.className).join()`

/** Serious and critical findings of axe on what is shown, as `rule: element`. */
export async function accessibilityFindings(page: Page): Promise<readonly string[]> {
  await rest(page)
  const { violations } = await new AxeBuilder({ page }).analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`))
}

export async function keepPicture(page: Page, name: string): Promise<void> {
  await mkdir(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `${name}.png`) })
}
