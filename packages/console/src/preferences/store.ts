import { useSyncExternalStore } from 'react'

import { isRecord, parseJson } from '@slipway/kit'
import { languages, type Language } from '@slipway/messages'

/** What a person has set for this browser. */
export type Preferences = {
  readonly language: Language
  readonly theme: 'system' | 'light' | 'dark'
  readonly density: 'compact' | 'comfortable'
  /** IANA name; `local` is the browser's own. */
  readonly zone: string
  /** Whether single keys act as shortcuts. */
  readonly singleKeys: boolean
}

const KEY = 'slipway.preferences'
const themes = ['system', 'light', 'dark'] as const
const densities = ['compact', 'comfortable'] as const

function defaults(): Preferences {
  const language = navigator.languages.some((one) => /^zh/iu.test(one)) ? 'zh-CN' : 'en'
  return { language, theme: 'system', density: 'compact', zone: 'local', singleKeys: true }
}

/** Reads what was stored, part by part: an unknown value falls back to the default. */
function read(): Preferences {
  const base = defaults()
  try {
    const stored = parseJson(localStorage.getItem(KEY) ?? '{}')
    if (!isRecord(stored)) return base
    return {
      language: languages.find((one) => one === stored['language']) ?? base.language,
      theme: themes.find((one) => one === stored['theme']) ?? base.theme,
      density: densities.find((one) => one === stored['density']) ?? base.density,
      zone: isZone(stored['zone']) ? stored['zone'] : base.zone,
      singleKeys: stored['singleKeys'] !== false,
    }
  } catch {
    return base // a browser without storage, or with something else in it, starts from the defaults
  }
}

function isZone(value: unknown): value is string {
  if (typeof value !== 'string') return false
  if (value === 'local') return true
  try {
    return Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone !== ''
  } catch {
    return false // not a zone that this browser knows
  }
}

let current = read()
const listeners = new Set<() => void>()

function apply(next: Preferences): void {
  current = next
  for (const listener of listeners) listener()
}

// Another tab of the same browser changes this one as well.
window.addEventListener('storage', ({ key }) => key === KEY && apply(read()))

/** Changes some preferences, for this and every other tab. */
export function setPreferences(change: Partial<Preferences>): void {
  apply({ ...current, ...change })
  try {
    localStorage.setItem(KEY, JSON.stringify(current))
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, () => current)
}

export function presentPreferences(): Preferences {
  return current
}
