/*
 * What goes through a tunnel: nine bytes of header (kind, stream, number), then the payload of `data`. The number is the length
 * of the payload, or the credit of `window`. All numbers are unsigned and big-endian. Pure.
 */

/** Largest payload of one frame: small enough that no stream keeps the others waiting for long. */
export const PAYLOAD_MAX_BYTES = 32 * 1024
const HEADER_BYTES = 9
const kinds = ['open', 'data', 'end', 'reset', 'window', 'ping', 'pong'] as const

export type Frame =
  | { readonly kind: 'open' | 'end' | 'reset'; readonly stream: number }
  | { readonly kind: 'data'; readonly stream: number; readonly payload: Buffer }
  /** The other side may send so many bytes more. */
  | { readonly kind: 'window'; readonly stream: number; readonly credit: number }
  | { readonly kind: 'ping' | 'pong'; readonly stream: 0 }

/** The other end does not keep to the protocol; nothing that it sends can be understood any more. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
}

export function encodeFrame(frame: Frame): Buffer {
  const payload = frame.kind === 'data' ? frame.payload : undefined
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + (payload?.length ?? 0))
  bytes.writeUInt8(kinds.indexOf(frame.kind), 0)
  bytes.writeUInt32BE(frame.stream, 1)
  bytes.writeUInt32BE(frame.kind === 'window' ? frame.credit : (payload?.length ?? 0), 5)
  payload?.copy(bytes, HEADER_BYTES)
  return bytes
}

/** Takes bytes in any split and gives whole frames. @throws {FrameError} at the first byte that cannot be one */
export function frameReader(): (bytes: Buffer) => Frame[] {
  let rest: Buffer = Buffer.alloc(0)
  return (bytes) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    const frames: Frame[] = []
    while (rest.length >= HEADER_BYTES) {
      const { frame, sizeBytes } = frameAt(rest)
      if (!frame) break
      frames.push(frame)
      rest = rest.subarray(sizeBytes)
    }
    return frames
  }
}

/** The frame that `bytes` begin with; undefined while its payload is not complete. */
function frameAt(bytes: Buffer): { readonly frame: Frame | undefined; readonly sizeBytes: number } {
  const kind = kinds[bytes.readUInt8(0)]
  if (kind === undefined) throw new FrameError('a frame of an unknown kind')
  const stream = bytes.readUInt32BE(1)
  const number = bytes.readUInt32BE(5)
  const sizeBytes = HEADER_BYTES + (kind === 'data' ? number : 0)
  switch (kind) {
    case 'data': {
      if (number > PAYLOAD_MAX_BYTES) throw new FrameError('a frame that is too large')
      if (bytes.length < sizeBytes) return { frame: undefined, sizeBytes }
      return { frame: { kind, stream, payload: bytes.subarray(HEADER_BYTES, sizeBytes) }, sizeBytes }
    }
    case 'window':
      return { frame: { kind, stream, credit: number }, sizeBytes }
    case 'ping':
    case 'pong':
      return { frame: { kind, stream: 0 }, sizeBytes }
    default:
      return { frame: { kind, stream }, sizeBytes }
  }
}
