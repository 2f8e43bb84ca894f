/*
 * A console whose English is two fifths longer than it is, as translations are: made from the same sources for one test, and
 * laid over a running product by what stands in front of it. And where its pages cut off what they say.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { bundleConsole } from '../../packages/console/src/build/build.ts'
import type { Answer } from './front.ts'

/** A text whose letters are two fifths more; what is filled in stays. It uses nothing around it: it becomes a part of the bundle. */
export function stretch(text: string): string {
  let due = 0.5
  return text.replaceAll(/\{[a-zA-Z0-9]+\}|\p{L}/gu, (found) => {
    if (found.startsWith('{')) return found
    due += 0.4
    if (due < 1) return found
    due -= 1
    return found + found.toLowerCase()
  })
}

const CATALOG = /\/packages\/messages\/src\/catalog\.ts$/u
const PLAIN = 'return texts'
const LONGER =
  'return { ...texts, en: Object.fromEntries(Object.entries(texts.en).map(([key, text]) => [key, stretch(text)])) }'

/** Builds that console. @throws {Error} when the catalogue is not as it was when this was written */
export async function buildStretched(folder: string): Promise<void> {
  let isDone = false
  const longer = {
    name: 'longer-texts',
    enforce: 'pre' as const,
    transform(code: string, id: string): string | undefined {
      if (!CATALOG.test(id)) return undefined
      isDone = code.includes(PLAIN)
      return `${code.replace(PLAIN, LONGER)}\n${String(stretch)}`
    },
  }
  await bundleConsole(folder, [longer])
  if (!isDone) throw new Error('the texts were not made longer: catalog() no longer returns them so')
}

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript',
  css: 'text/css',
  svg: 'image/svg+xml',
}

/** Answers with the files of a console of its own, and with its page for every place. */
export async function answersOf(folder: string, files: readonly string[]): Promise<(path: string) => Answer> {
  const contents = new Map(
    await Promise.all(
      files.map(async (name): Promise<[string, string]> => [
        name,
        await readFile(join(folder, name), 'utf8'),
      ]),
    ),
  )
  return (path) => {
    const name = path.startsWith('/console/') ? path.slice('/console/'.length) : 'index.html'
    const body = contents.get(name)
    if (/^\/(?:v1|docs)\//u.test(path) || body === undefined) return 'pass'
    return { status: 200, type: TYPES[name.split('.').at(-1) ?? ''] ?? 'text/html; charset=utf-8', body }
  }
}

/** What is cut off on a page without a title that says it whole, as `element: text`. */
export const CUT_OFF = `(() => {
  const CONTROLS = 'button, a, label, summary, h1, h2, h3, dt, th, legend, [role=columnheader], [role=gridcell], [role=status], .ant-select-content-value, .ant-select-placeholder'
  const isSeen = (one) => one.getClientRects().length > 0 && !one.closest('.visually-hidden, .skip, [aria-hidden=true], [role=log]')
  // A cell says its whole text once it is pointed at; a button must be whole itself.
  const isSaid = (one) => {
    one.dispatchEvent(new PointerEvent('pointerover', { bubbles: true }))
    if (one.matches('button')) return one.matches('[title]')
    return one.closest('[title]') !== null || one.querySelector('[title]') !== null
  }
  const shown = (one) => [...one.childNodes].map((part) => part.nodeType === 3 ? part.data : part.matches?.('.visually-hidden, [aria-hidden=true]') ? '' : shown(part)).join('')
  const overflow = (one) => getComputedStyle(one).overflowX
  const cuts = (one) => one.clientWidth > 0 && one.scrollWidth > one.clientWidth + 1
  const edgeOf = (one) => {
    for (let box = one; box && box !== document.body; box = box.parentElement) {
      if (['auto', 'scroll'].includes(overflow(box))) return Infinity
      if (['hidden', 'clip'].includes(overflow(box))) return box.getBoundingClientRect().right
    }
    return innerWidth
  }
  const textRight = (one) => {
    const range = document.createRange()
    range.selectNodeContents(one)
    return range.getBoundingClientRect().right
  }
  const isCut = (one) => (overflow(one) !== 'visible' && cuts(one)) || textRight(one) > edgeOf(one) + 1 || (one.matches('button') && textRight(one) > one.getBoundingClientRect().right + 1)
  const pen = document.createElement('canvas').getContext('2d')
  const isPlaceholderCut = (one) => {
    const { font, paddingLeft, paddingRight } = getComputedStyle(one)
    pen.font = font
    return pen.measureText(one.placeholder).width > one.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight) + 1
  }
  const named = (one, text) => one.tagName.toLowerCase() + (one.getAttribute('role') ? '[' + one.getAttribute('role') + ']' : '') + ': ' + text.slice(0, 80)
  return [
    ...[...document.querySelectorAll(CONTROLS)].filter((one) => isSeen(one) && shown(one).trim() !== '' && isCut(one) && !isSaid(one)).map((one) => named(one, one.textContent)),
    ...[...document.querySelectorAll('input[placeholder]')].filter((one) => isSeen(one) && !isSaid(one) && isPlaceholderCut(one)).map((one) => named(one, one.placeholder)),
  ]
})()`
