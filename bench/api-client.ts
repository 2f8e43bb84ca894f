/*
 * The load that the cluster bench puts on an API server: plain HTTPS requests on kept connections, and watchers that only count
 * lines, so that little of what is measured is the client's own work.
 */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'

import { parseKubeconfig } from '@slipway/kube'

export type ApiClient = Disposable & {
  /** The answer's body; anything but 2xx is thrown. */
  readonly call: (method: string, path: string, body?: unknown, type?: string) => Promise<Buffer>
  /** Opens a watch and calls `onEvents` with the number of events that came in. Ends with the client. */
  readonly watch: (path: string, onEvents: (count: number) => void) => Promise<void>
}

const TIMEOUT_MS = 60_000
const NEWLINE = 10

export function apiClient(kubeconfigPath: string, connections: number): ApiClient {
  const { access } = parseKubeconfig(readFileSync(kubeconfigPath, 'utf8'))
  const { token, clientCertificate } = access.credentials
  const tls = {
    ca: access.certificateAuthority,
    cert: clientCertificate?.certificate,
    key: clientCertificate?.key,
  }
  const agent = new Agent({ ...tls, keepAlive: true, maxSockets: connections })
  const watchAgent = new Agent({ ...tls })
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const stop = new AbortController()

  const call: ApiClient['call'] = (method, path, body, type = 'application/json') =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body)
      const length =
        text === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(text) }
      const sent = request(
        new URL(path, access.server),
        { method, agent, headers: { ...authorization, ...length }, timeout: TIMEOUT_MS },
        (response) => {
          const parts: Buffer[] = []
          response.on('data', (part: Buffer) => parts.push(part))
          response.on('error', reject)
          response.on('end', () => {
            const whole = Buffer.concat(parts)
            const code = response.statusCode ?? 0
            if (code >= 200 && code < 300) resolve(whole)
            else reject(new Error(`${method} ${path}: ${code} ${whole.toString('utf8', 0, 500)}`))
          })
        },
      )
      sent.on('timeout', () => sent.destroy(new Error(`${method} ${path} took more than ${TIMEOUT_MS} ms`)))
      sent.on('error', reject)
      sent.end(text)
    })

  return {
    call,
    watch: (path, onEvents) =>
      new Promise((resolve, reject) => {
        const sent = request(
          new URL(path, access.server),
          { agent: watchAgent, headers: authorization, signal: stop.signal },
          (response) => {
            if (response.statusCode !== 200) {
              reject(new Error(`watch: ${response.statusCode}`))
              return
            }
            response.on('error', () => undefined) // it ends by being aborted
            response.on('data', (part: Buffer) => {
              let count = 0
              for (let at = part.indexOf(NEWLINE); at >= 0; at = part.indexOf(NEWLINE, at + 1)) count += 1
              if (count > 0) onEvents(count)
            })
            resolve()
          },
        )
        sent.on('error', reject)
        sent.end()
      }),
    [Symbol.dispose]() {
      stop.abort()
      agent.destroy()
      watchAgent.destroy()
    },
  }
}

/** Runs `task` for 0 … count-1, `atOnce` at a time. */
export async function eachIndex(
  count: number,
  atOnce: number,
  task: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1
      await task(next - 1)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}
