import { existsSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { page } from './page.js'
import { color, version } from './version.js'
import { acceptWebSocket } from './websocket.js'

const SLOW_MS = 2_000
const STREAM_BYTES = 20 * 1024 * 1024
const PIECE = Buffer.alloc(64 * 1024, 'slipway ')
const EVENT_EVERY_MS = 1_000
const GRACE_MS = 25_000

const instance = process.env.HOSTNAME ?? hostname()
const startedAt = new Date().toISOString()
// Made by stop.sh; one that an earlier start left says nothing about this one.
const drainFile = join(process.env.TMPDIR ?? tmpdir(), 'draining')
rmSync(drainFile, { force: true })

let isEnding = false
const endless = new Set()

function log(text) {
  console.log(`${new Date().toISOString()} ${text}`)
}

function send(response, status, type, text) {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    // A kept connection must not bring another request to an instance that ends.
    ...(isEnding && { connection: 'close' }),
  })
  response.end(text)
}

function sendJson(response, status, value) {
  send(response, status, 'application/json', `${JSON.stringify(value)}\n`)
}

function answerHealth(response) {
  const isDraining = isEnding || existsSync(drainFile)
  sendJson(response, isDraining ? 503 : 200, { status: isDraining ? 'draining' : 'ok' })
}

function answerSlowly(response) {
  const timer = setTimeout(() => send(response, 200, 'text/plain', `slow answer of ${version}\n`), SLOW_MS)
  response.on('close', () => clearTimeout(timer))
}

function* pieces() {
  for (let sent = 0; sent < STREAM_BYTES; sent += PIECE.length) yield PIECE
}

async function answerStream(response) {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': STREAM_BYTES })
  try {
    await pipeline(Readable.from(pieces()), response)
  } catch (error) {
    log(`the stream ended early: ${error.message}`)
  }
}

function answerEvents(response) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  if (response.req.method === 'HEAD') {
    response.end()
    return
  }
  let count = 0
  const tell = () => response.write(`id: ${(count += 1)}\ndata: ${JSON.stringify({ version, instance })}\n\n`)
  tell()
  const timer = setInterval(tell, EVENT_EVERY_MS)
  // Told to come back: the browser connects again, to another instance.
  const end = () => response.end('event: bye\ndata: {}\n\n')
  endless.add(end)
  response.on('close', () => {
    clearInterval(timer)
    endless.delete(end)
  })
}

const routes = {
  '/': (response) => send(response, 200, 'text/html; charset=utf-8', page({ version, color, instance })),
  '/healthz': answerHealth,
  '/version': (response) => sendJson(response, 200, { version, color, instance, startedAt }),
  '/slow': answerSlowly,
  '/stream': answerStream,
  '/events': answerEvents,
}

const server = createServer((request, response) => {
  const path = request.url.split('?', 1)[0]
  response.on('close', () => {
    if (path !== '/healthz') log(`${request.method} ${path} ${response.statusCode}`)
    if (isEnding) server.closeIdleConnections()
  })
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    sendJson(response, 405, { error: 'only GET and HEAD' })
    return
  }
  const answer = Object.hasOwn(routes, path) ? routes[path] : undefined
  if (answer) answer(response)
  else sendJson(response, 404, { error: 'there is no such page' })
})
// Longer than what stands before us keeps its connections, so that it never writes into one that we just closed.
server.keepAliveTimeout = 75_000

server.on('upgrade', (request, socket) => {
  if (request.url !== '/ws' || isEnding) {
    socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    return
  }
  const end = acceptWebSocket(request, socket, { onMessage: (text, reply) => reply(text) })
  if (!end) return
  log('WebSocket opened')
  endless.add(end)
  socket.on('close', () => endless.delete(end))
})

function end(signal) {
  if (isEnding) return
  isEnding = true
  log(`${signal}: finishing the requests under way`)
  server.close(() => {
    log('ended')
    process.exit(0)
  })
  for (const close of endless) close()
  setTimeout(() => {
    log('some requests did not finish in time')
    process.exit(1)
  }, GRACE_MS).unref()
}
process.on('SIGTERM', () => end('SIGTERM'))
process.on('SIGINT', () => end('SIGINT'))

server.listen(Number(process.env.PORT ?? 8080), process.env.HOST ?? '127.0.0.1', () => {
  const { address, port } = server.address()
  log(`node-web ${version} listens at http://${address}:${port}`)
})
