import { fill, type Language } from './catalog.ts'
import { cliFrame } from './cli/frame.ts'
import { cliLocations } from './cli/locations.ts'
import { cliNodes } from './cli/nodes.ts'
import { cliPools } from './cli/pools.ts'
import { cliShip } from './cli/ship.ts'
import { cliWhat } from './cli/what.ts'
import { cliWho } from './cli/who.ts'

/*
 * Texts of the command line. A command's summary stands under `<noun>` or `<noun>.<verb>`, so that help can show it
 * without loading the command. Each area of nouns has a file of its own in `cli/`, named in the list below.
 */
const areas = [cliFrame, cliWho, cliShip, cliNodes, cliLocations, cliPools, cliWhat] as const

type KeysOf<Area> = Area extends { readonly en: infer English } ? Extract<keyof English, string> : never

/** Names of the command line's texts. */
export type CliKey = KeysOf<(typeof areas)[number]>

/** A text of the command line in a language, with its parameters filled in. */
export function cliText(
  language: Language,
  key: CliKey,
  params: Readonly<Record<string, string | number | boolean>> = {},
): string {
  return findCliText(language, key, params) ?? key
}

/** The same for a key that is put together while running; undefined when there is no such text. */
export function findCliText(
  language: Language,
  key: string,
  params: Readonly<Record<string, string | number | boolean>> = {},
): string | undefined {
  for (const area of areas) {
    const texts: Readonly<Record<string, string>> = area[language]
    const text = Object.hasOwn(texts, key) ? texts[key] : undefined
    if (text !== undefined) return fill(text, params)
  }
  return undefined
}

/** Every key that has a text. */
export function cliKeys(): readonly string[] {
  return areas.flatMap((area) => Object.keys(area.en))
}
