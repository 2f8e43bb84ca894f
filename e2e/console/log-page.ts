/* What a test reads from the pages of logs and terminals, and does there. */
import type { Page } from 'playwright-core'

/** What a person pastes, as the browser tells the page. */
export const PASTE_TWO_LINES = `(element) => {
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

/** From which Instances the lines in sight come. */
export async function sourcesOf(page: Page): Promise<readonly string[]> {
  return [...new Set(await page.locator('.line-source').allTextContents())]
}

export async function heldLines(page: Page): Promise<number> {
  const said = (await page.locator('.log-foot').textContent()) ?? ''
  return Number((/([\d,]+) lines here/u.exec(said)?.[1] ?? '0').replaceAll(',', ''))
}

/** Every line of the list, by moving through it: only those in sight are in the page. */
export async function allLines(
  page: Page,
): Promise<readonly { readonly source: string; readonly text: string }[]> {
  const lines: unknown = await page.evaluate(`(${WALK})(document.querySelector('[role=log]'))`)
  // Made by the script above.
  return lines as readonly { readonly source: string; readonly text: string }[]
}

/** What stands in the terminal. */
export async function screenOf(page: Page): Promise<string> {
  const rows = await page
    .frameLocator('iframe[title=Terminal]')
    .locator('.xterm-rows > div')
    .allTextContents()
  return rows.join('\n')
}
