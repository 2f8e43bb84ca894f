/*
 * Loads the console, and the page again when a part of it was lost on the way: a page whose script is missing can say nothing
 * itself. It stands alone, so that nothing else can keep it from running.
 */
const KEY = 'slipway.boot'
const PATIENCE_MS = 1_500
const RELOADS_MAX = 4

function again(): void {
  const reloads = Number(sessionStorage.getItem(KEY) ?? '0')
  if (reloads < RELOADS_MAX) {
    sessionStorage.setItem(KEY, String(reloads + 1))
    // This file uses nothing of others, the clock neither.
    // oxlint-disable-next-line no-restricted-globals
    setTimeout(() => window.location.reload(), PATIENCE_MS)
  } else document.querySelector('#not-up')?.removeAttribute('hidden')
}

try {
  await import('./main.tsx')
  sessionStorage.removeItem(KEY)
} catch {
  again() // whatever part was lost, only loading everything once more brings it
}

export {}
