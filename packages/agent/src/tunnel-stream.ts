import { Duplex } from 'node:stream'

import { PAYLOAD_MAX_BYTES } from './frames.ts'

/** What one direction of one stream may hold that nobody has read yet, in bytes. */
export const WINDOW_BYTES = 256 * 1024

/** What a stream says to the other end. `data` calls back when the connection can take more. */
export type StreamPort = {
  readonly data: (payload: Buffer, sent: (error?: Error | null) => void) => void
  readonly window: (credit: number) => void
  readonly end: () => void
  readonly reset: () => void
  readonly closed: () => void
}

/** A stream broke as a TCP connection does. */
export function connectionLost(why: string): Error {
  return Object.assign(new Error(why), { code: 'ECONNRESET' })
}

type Waiting = { readonly bytes: Buffer; readonly done: (error?: Error | null) => void }

/**
 * One stream of a tunnel: a Duplex that stands where a socket is expected. Its writer waits when the reader at the other end
 * does not keep up (credit), and when the connection does not; one piece at a time, so streams take turns.
 */
export class TunnelStream extends Duplex {
  readonly #port: StreamPort
  readonly #inbound: Buffer[] = []
  #inboundBytes = 0
  #unacknowledgedBytes = 0
  #hasEnded = false
  #hasSentEnd = false
  #hasDeliveredEnd = false
  #wantsMore = false
  #credit = WINDOW_BYTES
  #waiting: Waiting | undefined

  constructor(port: StreamPort) {
    super({ allowHalfOpen: true })
    this.#port = port
  }

  /** @returns whether the sender kept within its window */
  receive(payload: Buffer): boolean {
    if (this.#hasEnded || this.#inboundBytes + this.#unacknowledgedBytes + payload.length > WINDOW_BYTES)
      return false
    this.#inbound.push(payload)
    this.#inboundBytes += payload.length
    this.#deliver()
    return true
  }

  receiveEnd(): void {
    this.#hasEnded = true
    this.#deliver()
  }

  receiveCredit(credit: number): void {
    this.#credit += credit
    const waiting = this.#waiting
    if (!waiting) return
    this.#waiting = undefined
    this.#send(waiting)
  }

  // Callers that expect a socket set these; there is nothing to set.
  setKeepAlive(): this {
    return this
  }
  setNoDelay(): this {
    return this
  }
  setTimeout(): this {
    return this
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }

  override _read(): void {
    this.#wantsMore = true
    this.#deliver()
  }

  override _write(bytes: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send({ bytes, done })
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#hasSentEnd = true
    this.#port.end()
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#hasSentEnd || !this.#hasEnded) this.#port.reset()
    this.#port.closed()
    this.#waiting?.done(error ?? connectionLost('the stream was closed'))
    this.#waiting = undefined
    this.#inbound.length = 0
    done(error)
  }

  #send({ bytes, done }: Waiting): void {
    if (bytes.length === 0) return done()
    const sizeBytes = Math.min(bytes.length, this.#credit, PAYLOAD_MAX_BYTES)
    if (sizeBytes === 0) {
      this.#waiting = { bytes, done }
      return
    }
    this.#credit -= sizeBytes
    this.#port.data(bytes.subarray(0, sizeBytes), (error) => {
      if (error || this.destroyed) done(error ?? connectionLost('the stream was closed'))
      else this.#send({ bytes: bytes.subarray(sizeBytes), done })
    })
  }

  #deliver(): void {
    while (this.#wantsMore) {
      const payload = this.#inbound.shift()
      if (!payload) break
      this.#inboundBytes -= payload.length
      this.#acknowledge(payload.length)
      this.#wantsMore = this.push(payload)
    }
    if (!this.#hasEnded || this.#hasDeliveredEnd || this.#inbound.length > 0) return
    this.#hasDeliveredEnd = true
    this.push(null)
  }

  #acknowledge(sizeBytes: number): void {
    this.#unacknowledgedBytes += sizeBytes
    if (this.#hasEnded || this.#unacknowledgedBytes < WINDOW_BYTES / 2) return
    this.#port.window(this.#unacknowledgedBytes)
    this.#unacknowledgedBytes = 0
  }
}
