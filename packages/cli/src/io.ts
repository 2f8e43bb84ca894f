import type { Readable, Writable } from 'node:stream'

import { cliErrors } from './errors.ts'

/** Largest text taken from standard input, in bytes. */
const INPUT_LIMIT_BYTES = 1024 * 1024

type Terminal = {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  readonly setRawMode?: (raw: boolean) => unknown
}

/** Where a command reads and writes. Data goes to `out`, everything else to `note` and `progress`. */
export type Io = {
  readonly out: (text: string) => Promise<void>
  /** Bytes as they are, for downloads. */
  readonly outBytes: (bytes: Uint8Array) => Promise<void>
  /** A line for people; silent with --quiet. */
  readonly note: (text: string) => void
  /** A line that --quiet does not silence. */
  readonly complain: (text: string) => void
  /** Replaces the last progress line on a terminal; '' takes it away. Silent with --quiet. */
  readonly progress: (text: string) => void
  readonly outIsTerminal: boolean
  readonly noteIsTerminal: boolean
  /** Whether somebody can answer a question. */
  readonly canAsk: boolean
  readonly colour: boolean
  readonly columns: number
  readonly readInput: () => Promise<string>
  readonly stdin: Readable
  readonly stderr: Writable
  /** The size of the terminal that data goes to, when it is one. */
  readonly terminalSize: () => TerminalSize | undefined
  /** Calls back with each new size. */
  readonly onResize: (listener: (size: TerminalSize) => void) => Disposable
  /** Every key goes to the reader of `stdin`, Ctrl-C too, until it is disposed; nothing without a terminal. */
  readonly takeKeys: () => Disposable
}

type TerminalSize = { readonly columns: number; readonly rows: number }

export type Streams = {
  readonly stdin: Readable & Terminal
  readonly stdout: Writable & Terminal
  readonly stderr: Writable & Terminal
}

const CLEAR_LINE = '\r\u001B[2K'

export function ioOf(
  streams: Streams,
  options: { readonly quiet: boolean; readonly input: boolean; readonly colour: boolean },
): Io {
  const { stdin, stdout, stderr } = streams
  let hasProgress = false
  const complain = (text: string): void => {
    stderr.write(`${hasProgress ? CLEAR_LINE : ''}${text}\n`)
    hasProgress = false
  }
  return {
    out: (text) => write(stdout, text.endsWith('\n') || text === '' ? text : `${text}\n`),
    outBytes: (bytes) => write(stdout, bytes),
    note: (text) => {
      if (!options.quiet) complain(text)
    },
    complain,
    progress(text) {
      if (options.quiet || stderr.isTTY !== true) return
      stderr.write(CLEAR_LINE + text)
      hasProgress = text !== ''
    },
    outIsTerminal: stdout.isTTY === true,
    noteIsTerminal: stderr.isTTY === true,
    canAsk: options.input && stdin.isTTY === true && stderr.isTTY === true,
    colour: options.colour && stderr.isTTY === true,
    columns: stdout.isTTY === true ? (stdout.columns ?? 0) : 0,
    readInput: () => readAll(stdin),
    stdin,
    stderr,
    terminalSize: () => sizeOf(stdout),
    onResize(listener) {
      const onChange = (): void => {
        const size = sizeOf(stdout)
        if (size) listener(size)
      }
      stdout.on('resize', onChange)
      return { [Symbol.dispose]: () => void stdout.off('resize', onChange) }
    },
    takeKeys() {
      if (stdin.isTTY === true) stdin.setRawMode?.(true)
      return {
        [Symbol.dispose]() {
          if (stdin.isTTY === true) stdin.setRawMode?.(false)
        },
      }
    },
  }
}

function sizeOf({ isTTY, columns, rows }: Terminal): TerminalSize | undefined {
  return isTTY === true && columns !== undefined && rows !== undefined ? { columns, rows } : undefined
}

/** Writes and waits until the reader can take more. A reader that left is no error: it has what it wanted. */
function write(stream: Writable, chunk: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => {
      if (error && !('code' in error && error.code === 'EPIPE')) reject(error)
      else resolve()
    })
  })
}

async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk as Uint8Array | string)
    sizeBytes += bytes.length
    if (sizeBytes > INPUT_LIMIT_BYTES)
      throw cliErrors.usage_invalid({ problem: `standard input > ${INPUT_LIMIT_BYTES} bytes` })
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}
