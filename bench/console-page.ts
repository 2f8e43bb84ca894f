/* What is measured inside of a page: from an event of a person to what it brings about, frames, memory, what was loaded. */
import type { Page } from 'playwright-core'

/**
 * From an event to the picture that shows what it brings about, in ms by the page's own clock.
 * @param until - script that is true once it is there
 */
export async function timed(
  page: Page,
  { on, until }: { readonly on: 'click' | 'input' | 'keydown'; readonly until: string },
  act: () => Promise<unknown>,
): Promise<number> {
  await page.evaluate(`void (window.measured = new Promise((resolve) => addEventListener('${on}', ({ timeStamp }) => {
    const look = () => {
      if (${until}) requestAnimationFrame(() => resolve(performance.now() - timeStamp))
      else requestAnimationFrame(look)
    }
    look()
  }, { capture: true, once: true })))`)
  await act()
  return Number(await page.evaluate('window.measured'))
}

export type Scrolled = {
  readonly framesPerSecond: number
  readonly slowestMs: number
  /** Frames in which the middle of the list held no line. */
  readonly emptyShare: number
}

/** Moves through a log for a while, so many pixels each frame, or to any place (`jump`). */
export async function scrollLog(page: Page, by: number | 'jump', forMs: number): Promise<Scrolled> {
  const found: unknown = await page.evaluate(`(async () => {
    const list = document.querySelector('[role=log]')
    list.scrollTop = 0
    for (let frames = 0; frames < 20; frames += 1) await new Promise(requestAnimationFrame)
    const box = list.getBoundingClientRect()
    const times = []
    let empty = 0
    let seed = 7
    return await new Promise((resolve) => {
      const step = (now) => {
        times.push(now)
        const middle = document.elementFromPoint(box.left + 40, box.top + box.height / 2)
        if (!middle?.closest('.line-row')) empty += 1
        seed = (seed * 48271) % 2147483647
        list.scrollTop = ${by === 'jump' ? 'list.scrollHeight * (seed / 2147483647)' : `list.scrollTop + ${by}`}
        if (now - times[0] < ${forMs}) requestAnimationFrame(step)
        else resolve({ times, empty })
      }
      requestAnimationFrame(step)
    })
  })()`)
  // Made by the script above.
  const { times, empty } = found as { readonly times: readonly number[]; readonly empty: number }
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? time))
  const tookMs = (times.at(-1) ?? 0) - (times[0] ?? 0)
  return {
    framesPerSecond: (gaps.length * 1_000) / tookMs,
    slowestMs: Math.max(...gaps),
    emptyShare: empty / times.length,
  }
}

/** Live memory of the page's script after everything that is no longer used is gone, MB; and elements in the page. */
export async function memoryOf(page: Page): Promise<{ readonly heapMb: number; readonly nodes: number }> {
  const session = await page.context().newCDPSession(page)
  try {
    await session.send('HeapProfiler.collectGarbage')
    const { usedSize } = await session.send('Runtime.getHeapUsage')
    const { nodes } = await session.send('Memory.getDOMCounters')
    return { heapMb: usedSize / 1e6, nodes }
  } finally {
    await session.detach()
  }
}

/** Begins to write down how long the page takes to answer what a person does (Event Timing; at least 16 ms). */
export const WATCH_EVENTS = `(() => {
  window.events = []
  new PerformanceObserver((list) => {
    for (const { name, duration, startTime, processingStart, interactionId } of list.getEntries())
      if (interactionId > 0) window.events.push({ name, duration, delay: processingStart - startTime, interactionId })
  }).observe({ type: 'event', durationThreshold: 16, buffered: true })
})()`

export type Interaction = { readonly duration: number; readonly delay: number }

/** The interactions that took at least 16 ms, each with its longest event. */
export async function interactionsOf(page: Page): Promise<readonly Interaction[]> {
  const found: unknown = await page.evaluate('window.events ?? []')
  // Made by the script above.
  const events = found as readonly (Interaction & { readonly interactionId: number })[]
  const longest = new Map<number, Interaction>()
  for (const { interactionId, duration, delay } of events)
    if (duration > (longest.get(interactionId)?.duration ?? 0))
      longest.set(interactionId, { duration, delay })
  return [...longest.values()]
}

export type Load = {
  readonly paintMs: number
  readonly usableMs: number
  readonly gzipBytes: number
  readonly files: number
}

/** Notes when a page can be used, from before its first script on. @param usable - script that is true then */
export function watchUsable(usable: string): string {
  return `{ const look = () => { if (${usable}) window.usableMs = performance.now(); else requestAnimationFrame(look) }; requestAnimationFrame(look) }`
}

/** What a page that was opened with `watchUsable` took. */
export async function loadOf(page: Page): Promise<Load> {
  const found: unknown = await page.evaluate(`(() => {
    const own = performance.getEntriesByType('resource').filter(({ name }) => /\\.(?:js|css)$/.test(name))
    return {
      paintMs: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN,
      usableMs: window.usableMs ?? NaN,
      files: own.length,
      gzipBytes: own.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
    }
  })()`)
  // Made by the script above.
  return found as Load
}
