/*
 * How wide a column must be for what stands in it in every language: an estimate from the characters, on the wide side, because
 * a template of columns is one for all rows and must not wait for them to be drawn.
 */

/** A Latin letter of the head (12 px, medium) and a square character, in pixels. */
const LETTER_PX = 7.6
const SQUARE_PX = 13
/** What a cell has beside its text. */
const CELL_PX = 18
/** What a small button has around its word, and between two. */
const BUTTON_PX = 28

/** Pixels that a text takes at most. Pure. */
function widthOf(text: string): number {
  let px = 0
  for (const character of text)
    px += /[\u1100-\u11FF\u2E80-\u{3FFFD}]/u.test(character) ? SQUARE_PX : LETTER_PX
  return px
}

/** The width of a column as its template says, but at least that of its title. Pure. */
export function columnWidth(width: string, title: string): string {
  const leastPx = Math.ceil(widthOf(title) + CELL_PX)
  return width.replace(/\d+(?=px)/u, (px) => String(Math.max(Number(px), leastPx)))
}

/** The width of a column of buttons with these words. Pure. */
export function buttonsWidth(words: readonly string[]): string {
  return `${Math.ceil(words.reduce((px, word) => px + widthOf(word) + BUTTON_PX, CELL_PX + 6))}px`
}

/** The least width that a column's template asks for, in pixels. Pure. */
export function leastOf(width: string): number {
  return Number(/(\d+)px/u.exec(width)?.[1] ?? 0)
}
