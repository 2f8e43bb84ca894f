import { request } from 'node:http'
import { connect, type Socket } from 'node:net'

export type RawAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly text: string
}

/** Sends a request whose path goes out exactly as written, which fetch would tidy up. */
export async function sendRaw(
  url: string,
  method: string,
  path: string,
  options: { readonly headers?: Readonly<Record<string, string | string[]>>; readonly body?: string } = {},
): Promise<RawAnswer> {
  const { hostname, port, host } = new URL(url)
  return new Promise((resolve, reject) => {
    const call = request({
      hostname,
      port,
      method,
      path,
      agent: false,
      headers: {
        host,
        // Node frames no body of GET and DELETE by itself.
        ...(options.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(options.body)) }),
        ...options.headers,
      },
    })
    call.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
      response.on('error', reject)
    })
    call.on('error', reject)
    call.end(options.body)
  })
}

/** Writes bytes to a fresh connection and gives back all that comes until it ends. */
export async function sendBytes(url: string, bytes: string): Promise<string> {
  const socket = await openSocket(url)
  socket.write(bytes)
  return readToEnd(socket)
}

export async function openSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return socket
}

/** Everything until the other end closes; a reset connection has ended too. */
export async function readToEnd(socket: Socket): Promise<string> {
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  socket.on('error', () => undefined)
  await new Promise<void>((resolve) => {
    if (socket.closed) resolve()
    else socket.once('close', () => resolve())
  })
  return text
}

/** The code of a refusal, from its body. */
export function codeOf(body: unknown): unknown {
  return (body as { error?: { code?: unknown } } | undefined)?.error?.code
}
