/*
 * The look, as data: one accent on neutral greys, borders instead of shadows, 13 pixels of text. Contrast is at least 4.5:1
 * for text (`text`, `soft`, `faint`, `accentText` and the four states) on `ground`, `surface` and `raised` in both themes.
 * Style sheets read these as custom properties (`--soft`); the interface library gets the same values.
 */
export type Tokens = Readonly<Record<TokenName, string>>
type TokenName =
  | 'ground'
  | 'surface'
  | 'raised'
  | 'line'
  | 'lineStrong'
  | 'text'
  | 'soft'
  | 'faint'
  | 'accent'
  | 'accentText'
  | 'accentSoft'
  | 'onAccent'
  | 'good'
  | 'goodSoft'
  | 'warn'
  | 'warnSoft'
  | 'bad'
  | 'badSoft'
  | 'focus'

const light: Tokens = {
  ground: '#f6f6f4',
  surface: '#ffffff',
  raised: '#fbfbfa',
  line: '#e2e2de',
  lineStrong: '#c4c4be',
  text: '#191a1c',
  soft: '#51555b',
  faint: '#686c72',
  accent: '#2c48d2',
  accentText: '#2640bf',
  accentSoft: '#e9edfc',
  onAccent: '#ffffff',
  good: '#17703f',
  goodSoft: '#e3f3e9',
  warn: '#8a5800',
  warnSoft: '#fbf0da',
  bad: '#b3261e',
  badSoft: '#fbe9e7',
  focus: '#2c48d2',
}

const dark: Tokens = {
  ground: '#131416',
  surface: '#1a1b1e',
  raised: '#202226',
  line: '#2e3136',
  lineStrong: '#494d54',
  text: '#eceded',
  soft: '#b3b7bd',
  faint: '#92979e',
  accent: '#4d68ee',
  accentText: '#9fb0ff',
  accentSoft: '#232b4f',
  onAccent: '#ffffff',
  good: '#5fc38a',
  goodSoft: '#17301f',
  warn: '#e0ae4c',
  warnSoft: '#352a12',
  bad: '#f28b82',
  badSoft: '#3d1f1c',
  focus: '#9fb0ff',
}

export const tokens: Readonly<Record<'light' | 'dark', Tokens>> = { light, dark }

/** A token's name as a custom property: `lineStrong` becomes `--line-strong`. */
export function propertyOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)}`
}
