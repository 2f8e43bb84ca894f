import { defineErrors as defineUntyped, type AppError } from '@slipway/kit'

import { fill, type Language, type Placeholders } from '../catalog.ts'
import { clientErrors } from './client.ts'
import { commonErrors } from './common.ts'
import { imageErrors } from './image.ts'
import { locationErrors } from './locations.ts'
import { nodeErrors } from './nodes.ts'
import { poolErrors } from './pools.ts'
import { problemParams } from './problem.ts'
import { runErrors } from './run.ts'
import { shipErrors } from './ship.ts'
import { startErrors } from './start.ts'
import { whatErrors } from './what.ts'
import { whereErrors } from './where.ts'
import { whoErrors } from './who.ts'

const areas = [
  commonErrors,
  clientErrors,
  startErrors,
  whoErrors,
  whereErrors,
  nodeErrors,
  locationErrors,
  poolErrors,
  whatErrors,
  shipErrors,
  runErrors,
  imageErrors,
] as const

type Area = (typeof areas)[number]
type EnglishOf<A> = A extends { readonly en: infer English } ? English : never
type Merged<U> = (U extends unknown ? (part: U) => void : never) extends (all: infer All) => void
  ? All
  : never
type ErrorTexts = Merged<EnglishOf<Area>>

export type ErrorCode = Extract<keyof ErrorTexts, string>
type TextOf<Code extends ErrorCode> = ErrorTexts[Code] extends string ? ErrorTexts[Code] : never
type ParamsOf<Code extends ErrorCode> = Readonly<
  Record<Placeholders<TextOf<Code>>, string | number | boolean>
>
type Options = { readonly cause?: unknown; readonly retryAfterSeconds?: number }
type Factory<Code extends ErrorCode> = [Placeholders<TextOf<Code>>] extends [never]
  ? (params?: undefined, options?: Options) => AppError
  : (params: ParamsOf<Code>, options?: Options) => AppError

/** A module's error table. A code without a text, or a call that leaves out a placeholder of the text, does not compile. */
export function defineErrors<const Codes extends Partial<Record<ErrorCode, { readonly status: number }>>>(
  table: Codes,
): { readonly [Code in Extract<keyof Codes, ErrorCode>]: Factory<Code> } {
  const factories: unknown = defineUntyped(table as Readonly<Record<string, { readonly status: number }>>)
  // kit's factories take any parameters; the narrower type is this function's whole point.
  return factories as { readonly [Code in Extract<keyof Codes, ErrorCode>]: Factory<Code> }
}

/** The text of an error in a language; an unknown code gives the code itself, so that nothing is ever blank. */
export function errorText(
  language: Language,
  code: string,
  params: Readonly<Record<string, string | number | boolean>>,
): string {
  for (const area of areas) {
    const texts: Readonly<Record<string, string>> = area[language]
    const text = texts[code]
    if (text !== undefined)
      return fill(text, code === 'input_invalid' ? problemParams(language, params) : params)
  }
  return code
}

/** Every code that has a text. */
export function errorCodes(): readonly string[] {
  return areas.flatMap((area) => Object.keys(area.en))
}
