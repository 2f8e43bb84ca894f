import { MINUTE_MS, systemClock } from '@slipway/kit'

/** Hands text to the browser as a file. */
export function saveFile(fileName: string, mediaType: string, pieces: readonly string[]): void {
  const address = URL.createObjectURL(new Blob([...pieces], { type: `${mediaType};charset=utf-8` }))
  const link = document.createElement('a')
  link.href = address
  link.download = fileName
  link.click()
  // The browser reads it after this returns.
  systemClock.after(MINUTE_MS, () => URL.revokeObjectURL(address))
}
