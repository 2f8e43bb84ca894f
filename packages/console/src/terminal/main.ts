import { must } from '@slipway/kit'
import { FitAddon } from '@xterm/addon-fit'
import { Terminal, type ITheme } from '@xterm/xterm'
import '@xterm/xterm/css/xterm.css'

import { programColors } from '../theme/terminal.ts'
import { tokens } from '../theme/tokens.ts'
import { connectTerminal, type TerminalConnection } from './connection.ts'
import { hearPage, tell, type FromFrame, type TerminalLook } from './messages.ts'
import './frame.css'

/* The page in the frame: a terminal and its connection. What surrounds it belongs to the page outside. */

const SCROLLBACK_LINES = 10_000
const FONT =
  "'JetBrains Mono', ui-monospace, 'SF Mono', 'Cascadia Mono', Consolas, 'DejaVu Sans Mono', 'Noto Sans Mono CJK SC', monospace"

const place = must(document.querySelector<HTMLElement>('#terminal'), 'the frame has a place for its terminal')
const terminal = new Terminal({
  fontFamily: FONT,
  fontSize: 13,
  lineHeight: 1.2,
  scrollback: SCROLLBACK_LINES,
  cursorBlink: !window.matchMedia('(prefers-reduced-motion: reduce)').matches,
  // A program may not read or set the clipboard, or change the title of anything.
  allowProposedApi: false,
  linkHandler: { activate: () => undefined },
})
const fit = new FitAddon()
terminal.loadAddon(fit)
terminal.open(place)
fit.fit()

let connection: TerminalConnection | undefined
const say = (message: FromFrame): void => tell(window.parent, message)
const encoder = new TextEncoder()

terminal.onData((text) => connection?.send(encoder.encode(text)))
terminal.onBinary((text) => connection?.send(Uint8Array.from(text, (character) => character.charCodeAt(0))))
terminal.onResize(({ cols, rows }) => connection?.resize({ columns: cols, rows }))
terminal.attachCustomKeyEventHandler((event) => {
  if (event.type !== 'keydown' || !event.ctrlKey) return true
  if (event.key === ']') {
    // The way out for those who have only a keyboard, as terminals of old have it.
    event.preventDefault()
    say({ kind: 'leave' })
    return false
  }
  // With something selected Ctrl-C copies, without it the program is interrupted.
  if (event.key.toLowerCase() === 'c' && (event.shiftKey || terminal.hasSelection())) return false
  return event.key.toLowerCase() !== 'v'
})
// Before the terminal takes it: several lines would run at once, so they are shown first.
place.addEventListener(
  'paste',
  (event) => {
    const text = event.clipboardData?.getData('text/plain') ?? ''
    if (!/[\r\n]./su.test(text)) return
    event.preventDefault()
    event.stopPropagation()
    say({ kind: 'paste', text })
  },
  { capture: true },
)
new ResizeObserver(() => fit.fit()).observe(place)

const screen = {
  size: () => ({ columns: terminal.cols, rows: terminal.rows }),
  write: (bytes: Uint8Array) => new Promise<void>((resolve) => terminal.write(bytes, resolve)),
  clearInput: () => terminal.write('\u001B[0m\u001B[?1049l\u001B[?25h\r\n'),
}

hearPage((message) => {
  switch (message.kind) {
    case 'look':
      return applyLook(message.look)
    case 'open': {
      connection?.close()
      if (message.again !== '') terminal.write(`\u001B[0m\r\n\u001B[2m${message.again}\u001B[0m\r\n`)
      fit.fit()
      connection = connectTerminal(message, screen, say)
      return terminal.focus()
    }
    case 'close':
      return connection?.close()
    case 'focus':
      return terminal.focus()
    case 'paste':
      return terminal.paste(message.text)
  }
})
say({ kind: 'ready' })

function applyLook({ theme, language, label, isForReaders }: TerminalLook): void {
  document.documentElement.lang = language
  document.documentElement.style.colorScheme = theme
  document.body.style.background = tokens[theme].surface
  document.title = label
  terminal.options.theme = themeOf(theme)
  terminal.options.screenReaderMode = isForReaders
  terminal.textarea?.setAttribute('aria-label', label)
}

const COLOR_NAMES = [
  'black',
  'red',
  'green',
  'yellow',
  'blue',
  'magenta',
  'cyan',
  'white',
  'brightBlack',
  'brightRed',
  'brightGreen',
  'brightYellow',
  'brightBlue',
  'brightMagenta',
  'brightCyan',
  'brightWhite',
] as const satisfies readonly (keyof ITheme)[]

function themeOf(theme: 'light' | 'dark'): ITheme {
  const look = tokens[theme]
  return {
    background: look.surface,
    foreground: look.text,
    cursor: look.accentText,
    cursorAccent: look.surface,
    selectionBackground: look.accentSoft,
    ...Object.fromEntries(COLOR_NAMES.map((name, index) => [name, programColors[theme][index]])),
  }
}
