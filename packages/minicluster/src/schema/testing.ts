import { readFileSync } from 'node:fs'

import type { JsonObject } from './json.ts'

/**
 * Questions and the answers that a real API server gave to them, for tests; recorded by
 * `tools/kubernetes-schema/record-answers.ts`.
 */
export function readAnswers(name: string): readonly JsonObject[] {
  const file = new URL(`../generated/answers/${name}.json`, import.meta.url)
  // Recorded by our own tool in this form.
  return JSON.parse(readFileSync(file, 'utf8')) as readonly JsonObject[]
}
