/* Which words a page holds that do not belong to its language. */
import type { Page } from 'playwright-core'

/** Latin words that are the same in Chinese: product and protocol names, units, and keys of a keyboard. */
const KEPT = new Set([
  'Kubernetes',
  'HTTP',
  'https',
  'http',
  'ssh',
  'user@host:path',
  'slipway.yaml',
  'CPU',
  'KiB',
  'MiB',
  'GiB',
  'Ctrl',
  'K',
  'English',
  'Home',
  'End',
  'Enter',
  'UTC',
  'GMT',
  'DOWN',
  'host',
  'path',
  'slpf_',
  'slipway',
  'yaml',
])

/** Names of a machine's making: of pods, digests, repositories. */
const MADE = /sha256:[0-9a-f]+|[0-9a-f]{10,}|[a-z0-9]*(?:-[a-z0-9]+)+/gu

/**
 * The text that a reader sees or hears, without what people or machines have named: links to objects, code, commands, and
 * what the test itself marks as data.
 */
async function textsOf(page: Page, data: readonly string[]): Promise<readonly string[]> {
  const texts: unknown = await page.evaluate(`(() => {
    const skip = '[aria-hidden=true], code, kbd, pre, input, textarea, [role=log], .command-line, [lang="en"], [lang="zh-CN"]:not(html), script, style'
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    const found = []
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const parent = node.parentElement
      if (!parent || parent.closest(skip) || parent.closest('noscript')) continue
      if (parent.getClientRects().length === 0) continue
      found.push(node.textContent.trim())
    }
    for (const element of document.querySelectorAll('[aria-label], [placeholder], [title]')) {
      if (element.closest(skip)) continue
      for (const name of ['aria-label', 'placeholder', 'title']) found.push(element.getAttribute(name) ?? '')
    }
    return [document.title, ...found].filter((text) => text !== '')
  })()`)
  const all = Array.isArray(texts) ? texts.map(String) : []
  return all.map((text) =>
    data.reduce((rest, word) => rest.replaceAll(word, ' '), text).replaceAll(MADE, ' '),
  )
}

/** Words of the other language on a page. @param data - names that belong to nobody's language, longest first */
export async function foreignWords(
  page: Page,
  language: 'en' | 'zh-CN',
  data: readonly string[],
): Promise<readonly string[]> {
  const texts = await textsOf(
    page,
    [...data].sort((a, b) => b.length - a.length),
  )
  if (language === 'en')
    return texts.filter((text) => /\p{Script=Han}/u.test(text)).filter((text) => !/^(船台|中文)$/u.test(text))
  return texts.flatMap((text) =>
    [...text.matchAll(/[A-Za-z][A-Za-z_@:.-]*[A-Za-z_]|[A-Za-z]/gu)]
      .map(([word]) => word)
      .filter((word) => !KEPT.has(word))
      .map((word) => `${word} in “${text}”`),
  )
}
