/* What every screen is held to, walked by one visitor after the other. */
import type { Page } from 'playwright-core'

import { accessibilityFindings, keepPicture, settle, type Look, type Visitor } from './browser.ts'
import { foreignWords } from './languages.ts'

/** The name of each screen and its path. */
export type Screens = readonly (readonly [name: string, path: string])[]

type Walk = {
  readonly look: Look
  readonly screens: Screens
  /** What people and machines named; it belongs to no language. */
  readonly data: readonly string[]
  /** Leaves out what the browser writes down because of what a screen is about. */
  readonly due?: (name: string, complaints: readonly string[]) => readonly string[]
}

/** Findings of axe, words of another language and complaints of the browser, each after its screen; keeps pictures. */
export async function problemsOf(visitor: Visitor, walk: Walk): Promise<readonly string[]> {
  const { look, screens, data, due = (_, complaints) => complaints } = walk
  const { page } = visitor
  const problems: string[] = []
  for (const [name, path] of screens) {
    await page.goto(path)
    await settle(page)
    await keepPicture(page, `${name}-${look.theme}-${look.language}`)
    for (const finding of await accessibilityFindings(page)) problems.push(`${name}: ${finding}`)
    for (const word of await foreignWords(page, look.language, data)) problems.push(`${name}: ${word}`)
    for (const said of due(name, visitor.complaints())) problems.push(`${name}: ${said}`)
  }
  return problems
}

/** What reaches farthest to the right of all that nothing around it cuts off. */
const WIDEST = `(() => {
  const isCut = (one) => one !== null && one !== document.body && (getComputedStyle(one).overflowX !== 'visible' || isCut(one.parentElement))
  const right = (one) => one.getBoundingClientRect().right
  const free = [...document.querySelectorAll('body *')].filter((one) => !isCut(one.parentElement))
  return free.reduce((most, one) => right(one) > right(most) ? one : most).outerHTML.slice(0, 200)
})()`

/** Screens that scroll sideways in a window of this width, with how wide they are. */
export async function tooWide(page: Page, screens: Screens, widthPx: number): Promise<readonly string[]> {
  const wide: string[] = []
  for (const [name, path] of screens) {
    await page.goto(path)
    await settle(page)
    await keepPicture(page, `${name}-narrow`)
    const shownPx = Number(await page.evaluate('document.documentElement.scrollWidth'))
    if (shownPx > widthPx) wide.push(`${name}: ${shownPx}, ${String(await page.evaluate(WIDEST))}`)
  }
  return wide
}
