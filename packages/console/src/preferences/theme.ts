import { useLayoutEffect, useSyncExternalStore } from 'react'

import { propertyOf, tokens } from '../theme/tokens.ts'
import { usePreferences } from './store.ts'

const dark = window.matchMedia('(prefers-color-scheme: dark)')

function subscribe(listener: () => void): () => void {
  dark.addEventListener('change', listener)
  return () => dark.removeEventListener('change', listener)
}

/** The theme that is shown, with `system` resolved; marks the document so that style sheets follow. */
export function useTheme(): 'light' | 'dark' {
  const { theme, density, language } = usePreferences()
  const systemIsDark = useSyncExternalStore(subscribe, () => dark.matches)
  const shown = theme === 'system' ? (systemIsDark ? 'dark' : 'light') : theme
  useLayoutEffect(() => {
    const { documentElement: root } = document
    root.dataset['theme'] = shown
    root.dataset['density'] = density
    root.lang = language
    for (const [name, value] of Object.entries(tokens[shown])) root.style.setProperty(propertyOf(name), value)
  }, [shown, density, language])
  return shown
}
