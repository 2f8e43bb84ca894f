/* What every bench leaves: a table for people, a JSON file for programs, and the page of all last figures. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type Table = {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export type Report = {
  readonly name: string
  /** What was measured and how, and what the figures do not say. */
  readonly notes: readonly string[]
  readonly tables: readonly Table[]
}

type StoredReport = Report & {
  readonly command: string
  readonly at: string
  readonly commit: string
  readonly machine: string
}

const folder = fileURLToPath(new URL('.', import.meta.url))
const results = join(folder, 'results')

/** Taken when the bench begins: its own load must not stand in it. */
const loadAtStart = loadavg()[0] ?? 0

/** The machine in one line, with how busy it was with other things. */
export function machineLine(): string {
  const [first] = cpus()
  return [
    `${cpus().length} × ${first?.model.trim() ?? process.arch}`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `Linux ${release()}`,
    `Node ${process.versions.node}`,
    `load ${loadAtStart.toFixed(1)} before the start`,
  ].join(', ')
}

/** Prints the report, keeps it under `bench/results/` and writes `bench/RESULTS.md` anew. */
export function publish(report: Report): void {
  const stored: StoredReport = {
    ...report,
    command: `npm run bench -- ${[report.name, ...process.argv.slice(2)].join(' ')}`,
    at: new Date().toISOString(),
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: folder, encoding: 'utf8' }).trim(),
    machine: machineLine(),
  }
  mkdirSync(results, { recursive: true })
  const file = join(results, `${report.name}.json`)
  writeFileSync(file, JSON.stringify(stored))
  // In the form that the format check of the checkout wants.
  execFileSync(join(folder, '..', 'node_modules', '.bin', 'oxfmt'), [file], { stdio: 'ignore' })
  console.log(markdownOf(stored))
  writeFileSync(join(folder, 'RESULTS.md'), pageOf(readResults()))
}

function readResults(): readonly StoredReport[] {
  const names = readdirSync(results).filter((name) => name.endsWith('.json'))
  // The files are ours.
  return names.toSorted().map((name) => JSON.parse(readFileSync(join(results, name), 'utf8')) as StoredReport)
}

function pageOf(reports: readonly StoredReport[]): string {
  const head = `# Last figures

Each part was made by the command above its tables and is written anew by it. A figure means something beside its neighbours in the
same table: they come from the same run on the same machine. The same as JSON lies in \`results/\`.
`
  return [head, ...reports.map(markdownOf)].join('\n')
}

function markdownOf(report: StoredReport): string {
  const head = [
    `## ${report.name}`,
    '',
    `\`${report.command}\`, ${report.at.slice(0, 16).replace('T', ' ')} UTC, commit ${report.commit}`,
    `<br>${report.machine}`,
    '',
    ...report.notes.map((note) => `- ${note}`),
    '',
  ]
  return [...head, ...report.tables.flatMap(tableLines)].join('\n')
}

function tableLines({ title, columns, rows }: Table): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const rule = line(columns.map((_, index) => (index === 0 ? '---' : '---:')))
  return [`**${title}**`, '', line(columns), rule, ...rows.map(line), '']
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** Three significant digits, without an exponent. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–'
  return Math.abs(value) >= 100
    ? Math.round(value).toLocaleString('en')
    : String(Number(value.toPrecision(3)))
}
