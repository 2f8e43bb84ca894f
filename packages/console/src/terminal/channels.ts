import { isRecord, parseJson } from '@slipway/kit'

/* The messages of a terminal's WebSocket: the first byte is the channel, as the contract says. */

const Channel = { input: 0, output: 1, errors: 2, end: 3, size: 4 } as const
/** Longest piece of input in one message. */
const PIECE_BYTES = 64 * 1024

export type TerminalSize = { readonly columns: number; readonly rows: number }

export type Arrived =
  | { readonly kind: 'output'; readonly bytes: Uint8Array }
  | { readonly kind: 'ended'; readonly exitCode: number }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'unknown' }

/** Input as messages, none of them too long. Pure. */
export function inputMessages(bytes: Uint8Array): readonly Uint8Array<ArrayBuffer>[] {
  const messages: Uint8Array<ArrayBuffer>[] = []
  for (let from = 0; from < bytes.length; from += PIECE_BYTES)
    messages.push(messageOf(Channel.input, bytes.subarray(from, from + PIECE_BYTES)))
  return messages
}

/** The size of the terminal as a message. Pure. */
export function sizeMessage(size: TerminalSize): Uint8Array<ArrayBuffer> {
  return messageOf(Channel.size, new TextEncoder().encode(JSON.stringify(size)))
}

function messageOf(channel: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(bytes.length + 1)
  message[0] = channel
  message.set(bytes, 1)
  return message
}

/** What a message of the server means; one of a newer server means nothing. Pure. */
export function arrivedOf(message: string | Uint8Array): Arrived {
  if (typeof message === 'string') return { kind: 'unknown' }
  const bytes = message.subarray(1)
  if (message[0] === Channel.output || message[0] === Channel.errors) return { kind: 'output', bytes }
  return message[0] === Channel.end ? endOf(new TextDecoder().decode(bytes)) : { kind: 'unknown' }
}

function endOf(text: string): Arrived {
  try {
    const value = parseJson(text)
    if (!isRecord(value)) return { kind: 'unknown' }
    if (typeof value['exitCode'] === 'number') return { kind: 'ended', exitCode: value['exitCode'] }
    const error = value['error']
    if (!isRecord(error)) return { kind: 'unknown' }
    return { kind: 'failed', code: String(error['code']), message: String(error['message']) }
  } catch {
    return { kind: 'unknown' } // the end of the connection says the rest
  }
}
