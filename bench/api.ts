/* The API of a started product, asked as its first administrator. */
import { setTimeout as sleep } from 'node:timers/promises'

import type { Stack } from './stack.ts'

export type Json = Readonly<Record<string, unknown>>
export type Call = (method: string, path: string, body?: unknown) => Promise<Json>

const TOO_MANY = 429
/** Too many at once, of whomever; nothing was done. */
const BUSY = 'database_busy'

/** Asks with a token; what comes too fast is asked again when the answer says. */
export function callsOf(url: string, secret?: string): Call {
  return async function call(method, path, body): Promise<Json> {
    const response = await fetch(new URL(path, url), {
      method,
      headers: {
        'content-type': 'application/json',
        ...(secret !== undefined && { authorization: `Bearer ${secret}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (response.status === TOO_MANY || (response.status === 503 && text.includes(BUSY))) {
      await sleep(1_000 * Number(response.headers.get('retry-after') ?? 1))
      return await call(method, path, body)
    }
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    // The API's answers are objects.
    return text === '' ? {} : (JSON.parse(text) as Json)
  }
}

/** Makes the first administrator of a new installation. */
export async function signIn(stack: Stack): Promise<{ readonly call: Call; readonly secret: string }> {
  const account = { token: stack.firstRunToken, name: 'admin', password: 'a long bench password' }
  const made = await callsOf(stack.url)('POST', '/v1/first-run', { ...account, delivery: 'bearer' })
  const secret = String(made['secret'])
  return { secret, call: callsOf(stack.url, secret) }
}
