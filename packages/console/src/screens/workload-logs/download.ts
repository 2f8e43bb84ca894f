import { MINUTE_MS, systemClock } from '@slipway/kit'

import { nameOfInstance } from '../../objects/instance-name.ts'
import { bareText } from '../../ui/log/ansi.ts'
import type { Line } from './buffer.ts'

/** Lines that become one piece of the file at a time. */
const PIECE_LINES = 5_000

/** Hands lines to the browser as a file of text: time, Instance, and what one reads of the line. */
export function downloadText(fileName: string, lines: readonly Line[]): void {
  const pieces: string[] = []
  for (let from = 0; from < lines.length; from += PIECE_LINES)
    pieces.push(
      lines
        .slice(from, from + PIECE_LINES)
        .map(textOf)
        .join(''),
    )
  const address = URL.createObjectURL(new Blob(pieces, { type: 'text/plain;charset=utf-8' }))
  const link = document.createElement('a')
  link.href = address
  link.download = fileName
  link.click()
  // The browser reads it after this returns.
  systemClock.after(MINUTE_MS, () => URL.revokeObjectURL(address))
}

function textOf({ at, instance, text }: Line): string {
  return `${at} ${nameOfInstance(instance)} ${bareText(text)}\n`
}
