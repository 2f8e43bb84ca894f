/*
 * The 16 colours that programs write with, in both themes: 0 to 7 are black, red, green, yellow, blue, magenta, cyan and white,
 * 8 to 15 the bright ones. Each is readable on `surface`, also those that a program thinks of as black or white.
 */
const light = [
  '#191a1c',
  '#b3261e',
  '#17703f',
  '#7a5200',
  '#2640bf',
  '#8a2a86',
  '#0b6470',
  '#51555b',
  '#686c72',
  '#c02b22',
  '#1b7443',
  '#855800',
  '#2c48d2',
  '#95318f',
  '#0b6b78',
  '#191a1c',
] as const
const dark = [
  '#92979e',
  '#f28b82',
  '#5fc38a',
  '#e0ae4c',
  '#9fb0ff',
  '#e39be0',
  '#6fcbd8',
  '#b3b7bd',
  '#92979e',
  '#ff9f97',
  '#7ad6a0',
  '#f0c46c',
  '#b5c2ff',
  '#eeb3ec',
  '#8adbe6',
  '#eceded',
] as const

export const programColors: Readonly<Record<'light' | 'dark', readonly string[]>> = { light, dark }

/** The colours as custom properties `--c0` … `--c15`. */
export function programColorProperties(theme: 'light' | 'dark'): Readonly<Record<string, string>> {
  return Object.fromEntries(programColors[theme].map((color, index) => [`--c${index}`, color]))
}
