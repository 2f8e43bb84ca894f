const LETTERS = 8

/**
 * The code that somebody typed, as the platform writes it (`BCDF-GHJK`); undefined when it can be none. Case, spaces and
 * hyphens do not matter; there are no vowels in a code.
 */
export function codeOf(typed: string): string | undefined {
  const letters = typed.replaceAll(/[\s-]/gu, '').toUpperCase()
  if (letters.length !== LETTERS || !/^[BCDFGHJKLMNPQRSTVWXZ]+$/u.test(letters)) return undefined
  return `${letters.slice(0, LETTERS / 2)}-${letters.slice(LETTERS / 2)}`
}
