import type { JsonObject } from '../../schema/json.ts'
import { objectOf, textOf } from '../../schema/json.ts'
import { quantityNano } from '../../schema/quantity.ts'
import { checkQualifiedName, NOT_NEGATIVE } from './names.ts'
import type { Report } from './report.ts'

const STANDARD = new Set(['cpu', 'memory', 'ephemeral-storage'])
const NANO = 1_000_000_000n

/** Checks `resources` of a container: known names, sensible amounts, requests within limits. */
export function validateResources(resources: JsonObject, field: string, report: Report): void {
  const limits = objectOf(resources['limits'])
  const requests = objectOf(resources['requests'])
  for (const [name, amount] of Object.entries(limits)) {
    validateAmount(name, textOf(amount), `${field}.limits[${name}]`, report)
  }
  for (const [name, amount] of Object.entries(requests)) {
    validateAmount(name, textOf(amount), `${field}.requests[${name}]`, report)
    validateRequest({ name, request: textOf(amount), limit: limits[name] }, field, report)
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)]
  if (names.some(isHugePage) && !names.some((name) => name === 'cpu' || name === 'memory')) {
    report.forbidden(field, 'HugePages require cpu or memory')
  }
}

function validateAmount(name: string, amount: string, field: string, report: Report): void {
  validateName(name, field, report)
  const nano = quantityNano(amount) ?? 0n
  if (nano < 0n) report.invalid(field, amount, NOT_NEGATIVE)
  if (isExtended(name) && nano % NANO !== 0n) report.invalid(field, amount, 'must be an integer')
}

function validateName(name: string, field: string, report: Report): void {
  const problems = checkQualifiedName(name)
  report.each(field, name, problems)
  if (name.includes('/')) {
    if (problems.length > 0) report.invalid(field, name, "doesn't follow extended resource name standard")
  } else if (problems.length === 0 && !STANDARD.has(name) && !isHugePage(name)) {
    report.invalid(field, name, 'must be a standard resource type or fully qualified')
    report.invalid(field, name, 'must be a standard resource for containers')
  }
}

function validateRequest(
  { name, request, limit }: { readonly name: string; readonly request: string; readonly limit: unknown },
  field: string,
  report: Report,
): void {
  if (limit === undefined) {
    if (isExtended(name) || isHugePage(name)) {
      report.required(`${field}.limits`, 'Limit must be set for non overcommitable resources')
    }
    return
  }
  const asked = quantityNano(request) ?? 0n
  const allowed = quantityNano(textOf(limit)) ?? 0n
  if ((isExtended(name) || isHugePage(name)) && asked !== allowed) {
    report.invalid(`${field}.requests`, request, `must be equal to ${name} limit of ${textOf(limit)}`)
  } else if (asked > allowed) {
    report.invalid(
      `${field}.requests`,
      request,
      `must be less than or equal to ${name} limit of ${textOf(limit)}`,
    )
  }
}

function isExtended(name: string): boolean {
  return name.includes('/') && !name.startsWith('kubernetes.io/')
}

function isHugePage(name: string): boolean {
  return name.startsWith('hugepages-')
}
