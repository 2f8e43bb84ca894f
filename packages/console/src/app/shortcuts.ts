import { useEffect, useRef } from 'react'

import { SECOND_MS, systemClock } from '@slipway/kit'

import { presentPreferences } from '../preferences/store.ts'
import { routeEntries } from '../routes/table.ts'
import { useGo } from '../routes/use.ts'

/** How long the first key of two waits for the second. */
const CHORD_MS = 1.2 * SECOND_MS

type Actions = { readonly openPalette: () => void; readonly openSheet: () => void }

/**
 * The keys that work everywhere: Ctrl or ⌘ with K, and single keys outside of fields. Keys of an input method that is
 * composing a character are never ours.
 */
export function useShortcuts(actions: Actions): void {
  const go = useGo()
  const latest = useRef({ actions, go })
  latest.current = { actions, go }
  useEffect(() => {
    let chordUntilMs = 0
    const onKey = (event: KeyboardEvent): void => {
      if (event.isComposing || event.defaultPrevented) return
      if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey) && !event.altKey) {
        event.preventDefault()
        latest.current.actions.openPalette()
        return
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      if (!presentPreferences().singleKeys) return
      const nowMs = systemClock.monotonicMs()
      if (nowMs < chordUntilMs) {
        chordUntilMs = 0
        const entry = routeEntries.find(([, { key }]) => key === event.key)?.[1]
        if (entry) latest.current.go(entry.path)
      } else if (event.key === 'g') chordUntilMs = nowMs + CHORD_MS
      else if (event.key === '?') latest.current.actions.openSheet()
      else if (event.key === '/') focusFilter(event)
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      /^(INPUT|TEXTAREA|SELECT)$/u.test(target.tagName) ||
      target.closest('[role=dialog]') !== null)
  )
}

function focusFilter(event: KeyboardEvent): void {
  const filter = document.querySelector<HTMLElement>('main [data-filter]')
  if (!filter) return
  event.preventDefault()
  filter.focus()
}
