import type { Process } from '@slipway/contract'

/** The settings of a process that stand in `slipway.yaml`, as fields of a form: texts, empty where nothing is said. */
export type ProcessFields = {
  readonly port: string
  readonly probePath: string
  readonly startSeconds: string
  readonly timeoutSeconds: string
  readonly cpu: string
  readonly memory: string
  readonly memoryLimit: string
  readonly graceSeconds: string
}
export type FieldName = keyof ProcessFields

/** The fields of a process. Pure. */
export function fieldsOf(process: Process): ProcessFields {
  const { resources, graceSeconds } = process
  const web = process.kind === 'web' ? process : undefined
  return {
    port: web ? String(web.port) : '',
    probePath: web?.probe.path ?? '',
    startSeconds: web ? String(web.probe.startSeconds) : '',
    timeoutSeconds: web ? String(web.probe.timeoutSeconds) : '',
    cpu: resources.cpu,
    memory: resources.memory,
    memoryLimit: resources.memoryLimit ?? '',
    graceSeconds: String(graceSeconds),
  }
}

const QUANTITY = /^[0-9]{1,9}(\.[0-9]{1,3})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/u
const within =
  (from: number, to: number) =>
  (text: string): boolean =>
    /^\d{1,5}$/u.test(text) && Number(text) >= from && Number(text) <= to

/** What each field may hold, as the contract says. */
const rules: Readonly<Record<FieldName, (text: string) => boolean>> = {
  port: within(1, 65_535),
  probePath: (text) => text === '' || /^\/[\x21-\x7e]{0,255}$/u.test(text),
  startSeconds: within(1, 3_600),
  timeoutSeconds: within(1, 60),
  cpu: (text) => QUANTITY.test(text),
  memory: (text) => QUANTITY.test(text),
  memoryLimit: (text) => text === '' || QUANTITY.test(text),
  graceSeconds: within(0, 600),
}

export const WEB_FIELDS = [
  'port',
  'probePath',
  'startSeconds',
  'timeoutSeconds',
] as const satisfies readonly FieldName[]
export const COMMON_FIELDS = [
  'cpu',
  'memory',
  'memoryLimit',
  'graceSeconds',
] as const satisfies readonly FieldName[]

/** The fields of a kind of process that hold what they may not. Pure. */
export function invalidFields(kind: Process['kind'], fields: ProcessFields): ReadonlySet<FieldName> {
  const names = kind === 'web' ? [...WEB_FIELDS, ...COMMON_FIELDS] : COMMON_FIELDS
  return new Set(names.filter((name) => !rules[name](fields[name])))
}

/**
 * The part of `slipway.yaml` that gives these processes. Every text stands as JSON writes it, which is YAML too, so that none
 * can be taken for something else. Pure.
 */
export function manifestText(
  processes: Readonly<Record<string, Process>>,
  fields: Readonly<Record<string, ProcessFields>>,
): string {
  const lines = ['version: 1', 'processes:']
  for (const [name, process] of Object.entries(processes)) {
    const values = fields[name] ?? fieldsOf(process)
    lines.push(`  ${name}:`, `    kind: ${process.kind}`)
    if (process.command) lines.push(`    command: ${JSON.stringify(process.command)}`)
    if (process.kind === 'web') lines.push(...webLines(values))
    lines.push(
      '    resources:',
      `      cpu: ${JSON.stringify(values.cpu)}`,
      `      memory: ${JSON.stringify(values.memory)}`,
    )
    if (values.memoryLimit !== '') lines.push(`      memoryLimit: ${JSON.stringify(values.memoryLimit)}`)
    if (process.placement) lines.push(`    placement: ${JSON.stringify(process.placement)}`)
    if (process.stop) lines.push(`    stop: ${JSON.stringify(process.stop)}`)
    lines.push(`    graceSeconds: ${values.graceSeconds}`, `    instances: ${process.instances}`)
  }
  return `${lines.join('\n')}\n`
}

function webLines({ port, probePath, startSeconds, timeoutSeconds }: ProcessFields): readonly string[] {
  return [
    `    port: ${port}`,
    '    probe:',
    ...(probePath === '' ? [] : [`      path: ${JSON.stringify(probePath)}`]),
    `      startSeconds: ${startSeconds}`,
    `      timeoutSeconds: ${timeoutSeconds}`,
  ]
}
