/*
 * The console in Chromium before the product as `npm start` runs it, with 700 Applications and 6,000 Instances: how soon lists can
 * be used, logs of 200,000 lines, the first load, how soon a key or a click is answered, and memory while the world changes.
 * Arguments: how many Instances (6000), and for how many minutes memory is watched (10).
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Browser, Page } from 'playwright-core'

import { openBrowser, settle } from '../e2e/console/browser.ts'
import { canRunRealClusters } from '../tools/kubernetes/availability.ts'
import { startRealCluster } from '../tools/kubernetes/cluster.ts'
import { signIn } from './api.ts'
import { type Fleet, makeFleet } from './console-fleet.ts'
import {
  LINES,
  type LogFigures,
  makeLog,
  measureLog,
  openSession,
  type Session,
  visit,
} from './console-log.ts'
import {
  interactionsOf,
  type Interaction,
  type Load,
  loadOf,
  memoryOf,
  timed,
  WATCH_EVENTS,
  watchUsable,
} from './console-page.ts'
import { figure, median, publish, quantile } from './report.ts'
import { type Stack, startStack } from './stack.ts'

const INSTANCES = Number(process.argv[2] ?? 6_000)
const MINUTES = Number(process.argv[3] ?? 10)
const SIZE = { applications: Math.ceil((INSTANCES * 7) / 60), instances: INSTANCES, nodes: 60 }
const ROUNDS = 7
const CHANGES_PER_SECOND = 20
const ROWS = `document.querySelectorAll('main [role=grid] [role=row][tabindex]').length >= 10`

/** Rounds of: from another page by a click to the rows of a list, each with an empty cache of answers. */
async function measureList(
  page: Page,
  { from, to, label }: { readonly from: string; readonly to: string; readonly label: string },
): Promise<readonly number[]> {
  const times: number[] = []
  const link = `:is(nav, main) a[href="${to}"]`
  for (let round = 0; round < ROUNDS; round += 1) {
    await page.goto(from)
    await page.locator(link).first().waitFor()
    await settle(page)
    // While a screen is on its way, the rows of the one before still stand here.
    const there = `location.pathname === ${JSON.stringify(to)} && document.querySelector('main [role=grid]')?.ariaLabel === ${JSON.stringify(label)} && ${ROWS}`
    times.push(await timed(page, { on: 'click', until: there }, () => page.locator(link).first().click()))
  }
  return times
}

/** Rounds of: from the last character of a filter to the rows that match, of which there are few. */
async function measureFilter(page: Page, path: string, words: readonly string[]): Promise<readonly number[]> {
  const times: number[] = []
  await page.goto(path)
  await page.locator('main [role=grid]').waitFor()
  for (const word of words) {
    await settle(page)
    await page.locator('[data-filter]').fill('')
    await page.locator('main [role=grid] [role=row][tabindex]').nth(9).waitFor()
    await page.locator('[data-filter]').focus()
    const until = `(() => { const rows = [...document.querySelectorAll('main [role=grid] [role=row][tabindex]')]; return rows.length > 0 && rows.every((row) => row.textContent.includes(${JSON.stringify(word)})) })()`
    times.push(await timed(page, { on: 'input', until }, () => page.keyboard.insertText(word)))
  }
  return times
}

/** From the key to the last row of a list having the focus. */
async function measureEnd(page: Page, path: string): Promise<number> {
  await page.goto(path)
  await page.locator('main [role=grid] [role=row][tabindex]').first().focus()
  await settle(page)
  const until = `document.activeElement?.getAttribute('aria-rowindex') === document.querySelector('main [role=grid]').getAttribute('aria-rowcount')`
  return await timed(page, { on: 'keydown', until }, () => page.keyboard.press('End'))
}

/** What a person does in a minute, answered: keys, clicks, typing in lists. */
async function interact(page: Page, cluster: string): Promise<readonly Interaction[]> {
  await page.goto('/')
  await page.getByRole('heading', { level: 1 }).waitFor()
  await page.evaluate(WATCH_EVENTS)
  for (let round = 0; round < 3; round += 1) {
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').first().waitFor()
    await page.keyboard.type('app-12', { delay: 60 })
    await page.keyboard.press('Escape')
    await page.getByRole('navigation').getByRole('link', { name: 'Applications' }).click()
    await page.locator('main [role=grid] [role=row][tabindex]').first().focus()
    for (const key of ['ArrowDown', 'ArrowDown', 'PageDown', 'PageDown', 'Home'])
      await page.keyboard.press(key, { delay: 40 })
    await page.getByRole('navigation').getByRole('link', { name: 'Clusters' }).click()
    await page.locator(`main a[href="/clusters/${cluster}"]`).first().click()
    await page.locator(`main a[href="/clusters/${cluster}/instances"]`).first().click()
    await page.locator('main [role=grid] [role=row][tabindex]').first().waitFor()
    await page.locator('[data-filter]').click()
    await page.keyboard.type('app-3', { delay: 60 })
    await settle(page)
    await page.locator('main [role=grid] [role=row][tabindex] a').first().click()
    await page.getByRole('navigation').getByRole('link', { name: 'Home' }).click()
    await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor()
  }
  return await interactionsOf(page)
}

type Memory = { readonly minute: number; readonly heapMb: number; readonly nodes: number }

/** Two pages that change all the time: the Instances of the Cluster, and a log. */
async function watchMemory(
  pages: readonly Page[],
  fleet: Fleet,
): Promise<{ readonly series: readonly (readonly Memory[])[]; readonly changes: number }> {
  const over = new AbortController()
  const changing = fleet.keepChanging(CHANGES_PER_SECOND, over.signal)
  const series: Memory[][] = pages.map(() => [])
  const begin = performance.now()
  const every = (MINUTES * 60_000) / 10
  for (let look = 0; look <= 10; look += 1) {
    // The first look comes after everything was loaded and drawn.
    await sleep(Math.max(0, begin + 10_000 + look * every - performance.now()))
    for (const [index, page] of pages.entries())
      series[index]?.push({ minute: (look * every) / 60_000, ...(await memoryOf(page)) })
  }
  over.abort()
  return { series, changes: await changing }
}

async function measureLoads(browser: Browser, url: string, session: Session): Promise<readonly Load[]> {
  const loads: Load[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    await using visitor = await visit(browser, url, session)
    await visitor.page.addInitScript(
      watchUsable(`document.querySelector('main h1') && !document.querySelector('.loading')`),
    )
    await visitor.page.goto('/')
    await settle(visitor.page)
    loads.push(await loadOf(visitor.page))
  }
  return loads
}

async function run(): Promise<void> {
  const say = (line: string): void => console.error(line)
  if (!(await canRunRealClusters(say))) throw new Error('this bench needs a real control plane')
  await using stack = await startStack(['--no-sample'])
  const { call, secret } = await signIn(stack)
  await using cluster = await startRealCluster({ kwokNodes: SIZE.nodes, progress: say })
  const kubeconfig = readFileSync(cluster.kubeconfigPath, 'utf8')
  await call('POST', '/v1/clusters', { slug: 'fleet', name: 'Fleet', kubeconfig })
  say(`making ${SIZE.applications} Applications and ${SIZE.instances} Instances`)
  const [workload, fleet] = await Promise.all([
    makeLog(stack, call, secret),
    makeFleet(call, { cluster: 'fleet', kubeconfigPath: cluster.kubeconfigPath, size: SIZE }),
  ])
  using _ = fleet
  const browser = await openBrowser()
  try {
    await measure({ browser, stack, fleet, workload, say })
  } finally {
    await browser.close()
  }
}

type Scene = {
  readonly browser: Browser
  readonly stack: Stack
  readonly fleet: Fleet
  readonly workload: string
  readonly say: (line: string) => void
}

async function measure({ browser, stack, fleet, workload, say }: Scene): Promise<void> {
  const session = await openSession(browser, stack.url)
  say('loads')
  const loads = await measureLoads(browser, stack.url, session)
  await using visitor = await visit(browser, stack.url, session)
  const { page, context } = visitor
  const instances = `/clusters/${fleet.clusterId}/instances`
  say('lists')
  const lists = {
    [`Applications (${SIZE.applications})`]: await measureList(page, {
      from: '/',
      to: '/applications',
      label: 'Applications',
    }),
    [`Workloads (${SIZE.applications})`]: await measureList(page, {
      from: '/',
      to: '/workloads',
      label: 'Workloads',
    }),
    [`Instances of a Cluster (${SIZE.instances})`]: await measureList(page, {
      from: `/clusters/${fleet.clusterId}`,
      to: instances,
      label: 'Instances',
    }),
  }
  say('filters')
  const words = Array.from(
    { length: ROUNDS },
    (_, round) => `app-${Math.floor((SIZE.applications * (round + 1)) / (ROUNDS + 1))}`,
  )
  const filters = {
    [`Workloads (${SIZE.applications})`]: await measureFilter(page, '/workloads', words),
    [`Instances of a Cluster (${SIZE.instances})`]: await measureFilter(page, instances, words),
  }
  const endMs = await measureEnd(page, instances)
  say('log')
  const log = await measureLog(page, workload)
  say('interactions')
  const interactions = await interact(page, fleet.clusterId)
  say(`memory, ${MINUTES} minutes`)
  await page.goto(instances)
  const second = await context.newPage()
  await second.goto(`/workloads/${workload}/logs`)
  const memory = await watchMemory([page, second], fleet)
  report({ loads, lists, filters, endMs, log, interactions, memory })
}

type Figures = {
  readonly loads: readonly Load[]
  readonly lists: Readonly<Record<string, readonly number[]>>
  readonly filters: Readonly<Record<string, readonly number[]>>
  readonly endMs: number
  readonly log: LogFigures
  readonly interactions: readonly Interaction[]
  readonly memory: Awaited<ReturnType<typeof watchMemory>>
}

function report({ loads, lists, filters, endMs, log, interactions, memory }: Figures): void {
  const times = (what: string, all: readonly number[], limit: string): string[] => [
    what,
    figure(median(all)),
    figure(Math.max(...all)),
    limit,
  ]
  const [first] = loads
  const durations = interactions.map(({ duration }) => duration)
  const delays = interactions.map(({ delay }) => delay)
  const [list, lines] = memory.series
  publish({
    name: 'console',
    notes: [
      `${SIZE.applications} Applications with a Workload each and ${figure(SIZE.instances)} Instances on ${SIZE.nodes} nodes of a real control plane (kwok: they run nothing), whose pods were made directly with the labels by which the platform knows them; the log is that of two processes of the embedded cluster.`,
      'Headless Chromium on the same two cores as product, control plane and this script; it draws without a graphics card, at most 60 frames a second.',
      `Times are those of the page's own clock, from the event to the picture that shows the answer; ${ROUNDS} rounds, answers never from a cache of an earlier one.`,
      `While memory was watched, ${figure(memory.changes)} Instances restarted (${CHANGES_PER_SECOND} a second) and both logs grew by 8 lines a second; each figure is after a garbage collection.`,
    ],
    tables: [
      {
        title: 'Lists, ms',
        columns: ['', 'median', 'longest', 'limit'],
        rows: [
          ...Object.entries(lists).map(([name, all]) =>
            times(`from the click to the rows: ${name}`, all, '500'),
          ),
          ...Object.entries(filters).map(([name, all]) =>
            times(`from the last character of a filter to its rows: ${name}`, all, '400'),
          ),
          times('from the key End to the last row: Instances of a Cluster', [endMs], '–'),
        ],
      },
      {
        title: `A log of ${figure(LINES)} lines`,
        columns: [
          '',
          'frames per second',
          'slowest frame, ms',
          'frames without a line in the middle, %',
          'limit',
        ],
        rows: Object.entries(log.scrolled).map(([how, { framesPerSecond, slowestMs, emptyShare }]) => [
          how,
          figure(framesPerSecond),
          figure(slowestMs),
          figure(emptyShare * 100),
          '30',
        ]),
      },
      {
        title: 'The same log',
        columns: ['', 'ms', 'limit'],
        rows: [
          ['from opening the page to all lines held', figure(log.filledMs), '–'],
          ['from the last character of the search to the number of matches', figure(log.filterMs), '400'],
        ],
      },
      {
        title: 'First load and interactions',
        columns: ['', 'median', 'longest', 'limit'],
        rows: [
          ['scripts and styles, kB (gzip)', figure((first?.gzipBytes ?? 0) / 1_000), '–', '400'],
          ['files', figure(first?.files ?? 0), '–', '–'],
          times(
            'first paint, ms',
            loads.map(({ paintMs }) => paintMs),
            '–',
          ),
          times(
            'home can be used, ms',
            loads.map(({ usableMs }) => usableMs),
            '–',
          ),
          [
            `${interactions.length} keys and clicks of 16 ms and more, ms`,
            figure(median(durations)),
            figure(quantile(durations, 1)),
            '200',
          ],
          [
            'of that until the page began to answer, ms',
            figure(median(delays)),
            figure(quantile(delays, 1)),
            '–',
          ],
        ],
      },
      {
        title: `Memory over ${figure(MINUTES)} minutes of changes`,
        columns: ['minute', 'list of Instances, MB', 'its elements', 'log, MB', 'its elements'],
        rows: (list ?? []).map(({ minute, heapMb, nodes }, index) => [
          figure(minute),
          figure(heapMb),
          figure(nodes),
          figure(lines?.[index]?.heapMb ?? 0),
          figure(lines?.[index]?.nodes ?? 0),
        ]),
      },
    ],
  })
}

await run()
