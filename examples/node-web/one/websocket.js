/*
 * As much of a WebSocket (RFC 6455) as an echo needs: text in one frame of up to 64 KiB, ping, close. Everything else is
 * answered with the close code that says what was wrong.
 */
import { createHash } from 'node:crypto'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const PAYLOAD_MAX_BYTES = 65_535
const TEXT = 1
const CLOSE = 8
const PING = 9
const PONG = 10

/**
 * Answers the handshake and passes on each text. Returns a function that closes the connection, or undefined when the request
 * was none for a WebSocket and has been refused.
 */
export function acceptWebSocket(request, socket, { onMessage }) {
  const key = request.headers['sec-websocket-key']
  if (key === undefined || request.headers['sec-websocket-version'] !== '13') {
    socket.end('HTTP/1.1 400 Bad Request\r\nsec-websocket-version: 13\r\nconnection: close\r\n\r\n')
    return undefined
  }
  const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
  )
  let waiting = Buffer.alloc(0)
  const close = (code) => {
    const body = Buffer.alloc(2)
    body.writeUInt16BE(code)
    socket.end(frame(CLOSE, body))
  }
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    waiting = Buffer.concat([waiting, chunk])
    for (;;) {
      if (socket.writableEnded) return
      const found = readFrame(waiting)
      if (found === undefined) return
      if (found.problem !== undefined) {
        close(found.problem)
        return
      }
      waiting = waiting.subarray(found.length)
      if (found.code === TEXT) onMessage(found.payload.toString('utf8'), (text) => socket.write(frame(TEXT, Buffer.from(text))))
      else if (found.code === PING) socket.write(frame(PONG, found.payload))
      else if (found.code === CLOSE) close(1000)
      else if (found.code !== PONG) close(1003)
    }
  })
  return () => close(1001)
}

function readFrame(bytes) {
  if (bytes.length < 2) return undefined
  const isLast = (bytes[0] & 0x80) !== 0
  const isMasked = (bytes[1] & 0x80) !== 0
  const short = bytes[1] & 0x7f
  if (!isMasked || (bytes[0] & 0x70) !== 0) return { problem: 1002 }
  if (!isLast) return { problem: 1003 }
  if (short === 127) return { problem: 1009 }
  const head = short === 126 ? 4 : 2
  if (bytes.length < head) return undefined
  const size = short === 126 ? bytes.readUInt16BE(2) : short
  if (size > PAYLOAD_MAX_BYTES) return { problem: 1009 }
  if (bytes.length < head + 4 + size) return undefined
  const mask = bytes.subarray(head, head + 4)
  const payload = Buffer.from(bytes.subarray(head + 4, head + 4 + size))
  for (let index = 0; index < size; index += 1) payload[index] ^= mask[index % 4]
  return { code: bytes[0] & 0x0f, payload, length: head + 4 + size }
}

function frame(code, payload) {
  const head =
    payload.length < 126
      ? Buffer.from([0x80 | code, payload.length])
      : Buffer.from([0x80 | code, 126, payload.length >> 8, payload.length & 0xff])
  return Buffer.concat([head, payload])
}
