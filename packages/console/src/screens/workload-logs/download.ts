import { nameOfInstance } from '../../objects/instance-name.ts'
import { bareText } from '../../ui/log/ansi.ts'
import { saveFile } from '../../ui/save-file.ts'
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
  saveFile(fileName, 'text/plain', pieces)
}

function textOf({ at, instance, text }: Line): string {
  return `${at} ${nameOfInstance(instance)} ${bareText(text)}\n`
}
