import { fill, type Language } from './catalog.ts'
import { consoleFrame } from './console/frame.ts'
import { consoleHome } from './console/home.ts'
import { consoleLocations } from './console/locations.ts'
import { consolePlacement } from './console/placement.ts'
import { consolePools } from './console/pools.ts'
import { consoleRun } from './console/run.ts'
import { consoleShip } from './console/ship.ts'
import { consoleWaiting } from './console/waiting.ts'
import { consoleWhat } from './console/what.ts'
import { consoleWhere } from './console/where.ts'
import { consoleWho } from './console/who.ts'

/* Texts of the web console, by area; each has a file of its own in `console/`, named in the list below. */
const areas = [
  consoleFrame,
  consoleHome,
  consoleWaiting,
  consoleWhat,
  consoleShip,
  consoleRun,
  consoleWhere,
  consoleLocations,
  consolePlacement,
  consolePools,
  consoleWho,
] as const

type KeysOf<Area> = Area extends { readonly en: infer English } ? Extract<keyof English, string> : never

/** Names of the console's texts. */
export type ConsoleKey = KeysOf<(typeof areas)[number]>

/** A text of the console in a language, with its parameters filled in; an unknown key gives the key itself. */
export function consoleText(
  language: Language,
  key: ConsoleKey,
  params: Readonly<Record<string, string | number | boolean>> = {},
): string {
  for (const area of areas) {
    const texts: Readonly<Record<string, string>> = area[language]
    const text = Object.hasOwn(texts, key) ? texts[key] : undefined
    if (text !== undefined) return fill(text, params)
  }
  return key
}

/** Every key that has a text. */
export function consoleKeys(): readonly string[] {
  return areas.flatMap((area) => Object.keys(area.en))
}
