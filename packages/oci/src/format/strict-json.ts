import { parseJson } from '@slipway/kit'

/*
 * JSON whose meaning two parsers could disagree about is refused: what one component checks another one must not read differently.
 * That covers duplicate keys, a byte order mark, bytes that are not UTF-8 and numbers beyond a double.
 */

/** Why a text was refused, as a clause for an error's `reason`. */
export class StrictJsonError extends Error {
  override readonly name = 'StrictJsonError'
}

/**
 * Parses UTF-8 JSON, strictly.
 * @throws {StrictJsonError} with a reason that is safe to show
 */
export function parseStrictJson(bytes: Uint8Array, limits: { readonly sizeMaxBytes: number }): unknown {
  if (bytes.length > limits.sizeMaxBytes)
    throw new StrictJsonError(`it is larger than ${limits.sizeMaxBytes} bytes`)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new StrictJsonError('it is not UTF-8', { cause })
  }
  if (text.startsWith('\uFEFF')) throw new StrictJsonError('it begins with a byte order mark')
  let value: unknown
  try {
    value = parseJson(text)
  } catch (cause) {
    throw new StrictJsonError('it is not valid JSON, is nested too deeply or has a forbidden key', { cause })
  }
  checkTokens(text)
  return value
}

/** Walks text that is known to be valid JSON: every string before a colon is a key, every other run is a literal. */
function checkTokens(text: string): void {
  const open: Set<string>[] = []
  let index = 0
  while (index < text.length) {
    const code = text.charCodeAt(index)
    if (code === 0x22) index = checkString(text, index, open)
    else {
      if (code === 0x7b || code === 0x5b) open.push(new Set())
      else if (code === 0x7d || code === 0x5d) open.pop()
      else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
        index = checkNumber(text, index)
        continue
      }
      index += 1
    }
  }
}

function checkString(text: string, start: number, open: readonly Set<string>[]): number {
  let end = start + 1
  while (text.charCodeAt(end) !== 0x22) end += text.charCodeAt(end) === 0x5c ? 2 : 1
  let after = end + 1
  while (/\s/.test(text.charAt(after))) after += 1
  if (text.charAt(after) !== ':') return end + 1
  const key = JSON.parse(text.slice(start, end + 1)) as string
  const keys = open.at(-1)
  if (keys?.has(key)) throw new StrictJsonError(`the key ${JSON.stringify(key.slice(0, 64))} stands twice`)
  keys?.add(key)
  return after + 1
}

function checkNumber(text: string, start: number): number {
  let end = start + 1
  while (/[0-9.eE+-]/.test(text.charAt(end))) end += 1
  if (!Number.isFinite(Number(text.slice(start, end))))
    throw new StrictJsonError('it has a number out of range')
  return end
}
