import { consoleText, type ConsoleKey, type Language } from '@slipway/messages'

import { usePreferences } from './store.ts'

export type Params = Readonly<Record<string, string | number | boolean>>
export type Text = (key: ConsoleKey, params?: Params) => string

/** The texts of the console in the reader's language. */
export function useText(): { readonly text: Text; readonly language: Language } {
  const { language } = usePreferences()
  return { language, text: (key, params) => consoleText(language, key, params) }
}
