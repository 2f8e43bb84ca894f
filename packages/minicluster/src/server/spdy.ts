import { createInflate, type Inflate } from 'node:zlib'

/*
 * The part of SPDY/3.1 that port-forward speaks inside a WebSocket: streams opened by the client, data without flow
 * control, headers compressed with the dictionary of the specification (draft-mbelshe-httpbis-spdy-00, section 2.6.10.1).
 * What we send is "compressed" by stored blocks, which every inflater reads.
 */
const VERSION = 3
const FIN = 0x01
const PAYLOAD_MAX_BYTES = 1024 * 1024
const HEADERS_MAX_BYTES = 64 * 1024
const HEADERS_MAX_COUNT = 64
const TYPES = { synStream: 1, synReply: 2, reset: 3, ping: 6, goAway: 7 } as const

export type Frame =
  | { readonly kind: 'open'; readonly id: number; readonly block: Buffer; readonly isLast: boolean }
  | { readonly kind: 'data'; readonly id: number; readonly bytes: Buffer; readonly isLast: boolean }
  | { readonly kind: 'reset'; readonly id: number }
  | { readonly kind: 'ping'; readonly id: number }
  | { readonly kind: 'goAway' }
  /** Settings and such, which change nothing here. */
  | { readonly kind: 'other' }

/** Puts frames together from pieces of any size. Throws for what cannot be SPDY/3. */
export function frameReader(): (piece: Buffer) => Frame[] {
  let rest: Buffer = Buffer.alloc(0)
  return (piece) => {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    const frames: Frame[] = []
    for (;;) {
      if (rest.length < 8) return frames
      const lengthBytes = rest.readUIntBE(5, 3)
      if (lengthBytes > PAYLOAD_MAX_BYTES) throw new Error('a SPDY frame is too long')
      if (rest.length < 8 + lengthBytes) return frames
      frames.push(readFrame(rest.subarray(0, 8), rest.subarray(8, 8 + lengthBytes)))
      rest = rest.subarray(8 + lengthBytes)
    }
  }
}

function readFrame(head: Buffer, payload: Buffer): Frame {
  const word = head.readUInt32BE(0)
  const isLast = (head.readUInt8(4) & FIN) !== 0
  if (word < 0x80000000) return { kind: 'data', id: word, bytes: payload, isLast }
  if ((word >>> 16) - 0x8000 !== VERSION) throw new Error('not SPDY version 3')
  const id = (): number => {
    if (payload.length < 4) throw new Error('a SPDY frame is too short')
    return payload.readUInt32BE(0) & 0x7fffffff
  }
  switch (word & 0xffff) {
    case TYPES.synStream:
      return { kind: 'open', id: id(), block: payload.subarray(10), isLast }
    case TYPES.reset:
      return { kind: 'reset', id: id() }
    case TYPES.ping:
      return { kind: 'ping', id: id() }
    case TYPES.goAway:
      return { kind: 'goAway' }
    default:
      return { kind: 'other' }
  }
}

export type HeaderReader = Disposable & {
  /** Reads one header block; blocks must come in the order of their frames. */
  readonly read: (block: Buffer) => Promise<ReadonlyMap<string, string>>
}

/** All header blocks of a connection are one compressed stream. */
export function headerReader(): HeaderReader {
  const inflate: Inflate = createInflate({ dictionary: DICTIONARY })
  return {
    read(block) {
      const { promise, resolve, reject } = Promise.withResolvers<ReadonlyMap<string, string>>()
      inflate.once('error', reject)
      inflate.write(block, () => {
        inflate.off('error', reject)
        // null when the block held nothing that could be read.
        const bytes = inflate.read() as Buffer | null
        try {
          resolve(parseHeaders(bytes ?? Buffer.alloc(0)))
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)))
        }
      })
      return promise
    },
    [Symbol.dispose]: () => inflate.destroy(),
  }
}

function parseHeaders(bytes: Buffer): Map<string, string> {
  if (bytes.length > HEADERS_MAX_BYTES) throw new Error('SPDY headers are too long')
  const headers = new Map<string, string>()
  let offset = 0
  const number = (): number => {
    offset += 4
    return bytes.readUInt32BE(offset - 4)
  }
  const text = (): string => {
    const length = number()
    if (offset + length > bytes.length) throw new Error('SPDY headers are cut short')
    offset += length
    return bytes.toString('utf8', offset - length, offset)
  }
  const count = number()
  if (count > HEADERS_MAX_COUNT) throw new Error('too many SPDY headers')
  for (let index = 0; index < count; index += 1) {
    const name = text()
    headers.set(name.toLowerCase(), text())
  }
  return headers
}

/** Writes frames of the server. One per connection, since the first header block begins the compressed stream. */
export type FrameWriter = {
  readonly reply: (id: number) => Buffer
  readonly data: (id: number, bytes: Uint8Array, isLast: boolean) => Buffer
  readonly reset: (id: number) => Buffer
  readonly ping: (id: number) => Buffer
}

export function frameWriter(): FrameWriter {
  let isFirst = true
  return {
    reply(id) {
      const noHeaders = Buffer.alloc(4)
      // An empty block ends each part, which is the sync mark at which inflaters hand out what they have.
      const block = Buffer.concat([
        Buffer.from(isFirst ? [0x78, 0x01] : []),
        storedBlock(noHeaders),
        storedBlock(Buffer.alloc(0)),
      ])
      isFirst = false
      return control(TYPES.synReply, Buffer.concat([word(id), block]))
    },
    data(id, bytes, isLast) {
      const head = Buffer.alloc(8)
      head.writeUInt32BE(id, 0)
      head.writeUInt32BE(((isLast ? FIN : 0) << 24) | bytes.length, 4)
      return Buffer.concat([head, bytes])
    },
    // 5: CANCEL
    reset: (id) => control(TYPES.reset, Buffer.concat([word(id), word(5)])),
    ping: (id) => control(TYPES.ping, word(id)),
  }
}

function control(type: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt16BE(0x8000 | VERSION, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt32BE(payload.length, 4)
  return Buffer.concat([head, payload])
}

function storedBlock(bytes: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt16LE(bytes.length, 1)
  head.writeUInt16LE(~bytes.length & 0xffff, 3)
  return Buffer.concat([head, bytes])
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value, 0)
  return bytes
}

const WORDS =
  'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow ' +
  'authorization cache-control connection content-base content-encoding content-language content-length ' +
  'content-location content-md5 content-range content-type date etag expect expires from host if-match ' +
  'if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma ' +
  'proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade ' +
  'user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie ' +
  'keep-alive origin'
const TAIL =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505' +
  '203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden' +
  '404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable' +
  'Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT' +
  'chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,' +
  'publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.'

/** The dictionary of the specification: length-prefixed words, then the tail as it is. */
export const DICTIONARY = Buffer.concat([
  ...WORDS.split(' ').flatMap((text) => [word(text.length), Buffer.from(text.replace('_', ' '))]),
  Buffer.from(TAIL),
])
