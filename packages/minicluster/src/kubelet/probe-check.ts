/** One look at a container: http, tcp or exec. Says what it saw in the words of a real kubelet. */
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'

import { messageOf, type Clock } from '@slipway/kit'

import { portNumber } from './addresses.ts'
import type { Container, Probe } from './model.ts'
import { CommandError, runInside, type Inside } from './run-inside.ts'

export type ProbeResult = { readonly ok: boolean; readonly message: string }

export type ProbeTarget = {
  readonly container: Container
  readonly inside: Inside
  readonly podIp: string
  readonly clock: Clock
  /** Where a port is served now; `problem` says what is wrong when it is served nowhere. */
  readonly resolvePort: (port: number) => { readonly port?: number; readonly problem: string }
}

type HttpGet = NonNullable<Probe['httpGet']>

const REDIRECTS_MAX = 10
const BODY_MAX_BYTES = 10 * 1024

/** Why this runtime cannot probe that way; undefined when it can. */
export function probeProblem(probe: Probe | undefined): string | undefined {
  if (!probe) return undefined
  if (probe.grpc)
    return 'gRPC probes are not supported by the process runtime: use httpGet, tcpSocket or exec'
  return probe.httpGet || probe.tcpSocket || probe.exec ? undefined : 'the probe has no action'
}

export async function checkProbe(target: ProbeTarget, probe: Probe): Promise<ProbeResult> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1_000
  if (probe.exec) return checkExec(target, probe.exec.command ?? [], timeoutMs)
  if (probe.httpGet) return checkHttp(target, probe.httpGet, timeoutMs)
  if (probe.tcpSocket) return checkTcp(target, probe.tcpSocket, timeoutMs)
  return { ok: false, message: probeProblem(probe) ?? 'the probe has no action' }
}

async function checkExec(
  target: ProbeTarget,
  command: readonly string[],
  timeoutMs: number,
): Promise<ProbeResult> {
  try {
    const { exitCode, output, timedOut } = await runInside({
      inside: target.inside,
      command,
      clock: target.clock,
      timeoutMs,
    })
    if (timedOut) return { ok: false, message: `command "${command.join(' ')}" timed out` }
    return { ok: exitCode === 0, message: output.trim() === '' ? `exit code ${exitCode}` : output.trim() }
  } catch (error) {
    if (error instanceof CommandError) return { ok: false, message: error.message }
    throw error
  }
}

function place(
  target: ProbeTarget,
  port: number | string,
  host: string | undefined,
): { readonly host: string; readonly port?: number; readonly problem: string } {
  const number = portNumber(target.container, port)
  if (number === undefined) return { host: '', problem: `couldn't find port: ${port}` }
  // Another host is not this container: then the port is meant literally.
  if (host !== undefined && host !== '') return { host, port: number, problem: '' }
  return { host: target.podIp, ...target.resolvePort(number) }
}

async function checkTcp(
  target: ProbeTarget,
  tcp: NonNullable<Probe['tcpSocket']>,
  timeoutMs: number,
): Promise<ProbeResult> {
  const { host, port, problem } = place(target, tcp.port, tcp.host)
  if (port === undefined) return { ok: false, message: problem }
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const finish = (result: ProbeResult): void => {
      deadline[Symbol.dispose]()
      socket.destroy()
      resolve(result)
    }
    const deadline = target.clock.after(timeoutMs, () =>
      finish({ ok: false, message: `dial tcp ${host}:${port}: i/o timeout` }),
    )
    socket.once('connect', () => finish({ ok: true, message: '' }))
    socket.once('error', (error) =>
      finish({ ok: false, message: `dial tcp ${host}:${port}: ${messageOf(error)}` }),
    )
  })
}

async function checkHttp(target: ProbeTarget, get: HttpGet, timeoutMs: number): Promise<ProbeResult> {
  const { host, port, problem } = place(target, get.port, get.host)
  if (port === undefined) return { ok: false, message: problem }
  const scheme = (get.scheme ?? 'HTTP').toLowerCase()
  const first = URL.parse(get.path ?? '/', `${scheme}://${host}:${port}`)
  if (!first || first.hostname !== host) return { ok: false, message: `the path "${get.path}" is not valid` }
  const headers = Object.fromEntries((get.httpHeaders ?? []).map(({ name, value }) => [name, value]))
  const controller = new AbortController()
  using _deadline = target.clock.after(timeoutMs, () => controller.abort())
  try {
    let url = first
    for (let hop = 0; hop <= REDIRECTS_MAX; hop += 1) {
      const answer = await requestOnce(url, headers, controller.signal)
      const next = answer.location === undefined ? undefined : URL.parse(answer.location, url.href)
      // A redirect to another host is as good as an answer; one to the same host is followed.
      if (answer.status >= 300 && answer.status < 400 && next && next.host === url.host) {
        url = next
        continue
      }
      const ok = answer.status >= 200 && answer.status < 400
      return { ok, message: `HTTP probe failed with statuscode: ${answer.status}` }
    }
    return { ok: false, message: `stopped after ${REDIRECTS_MAX} redirects` }
  } catch (error) {
    const why = controller.signal.aborted
      ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
      : messageOf(error)
    return { ok: false, message: `Get "${first.href}": ${why}` }
  }
}

type Answer = { readonly status: number; readonly location: string | undefined }

function requestOnce(
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Answer> {
  const options = {
    headers: { 'User-Agent': 'kube-probe/1.35', Accept: '*/*', ...headers, Connection: 'close' },
    signal,
    agent: false,
  }
  return new Promise((resolve, reject) => {
    // The application's certificate is its own business: a kubelet does not verify it.
    const request =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, rejectUnauthorized: false })
        : httpRequest(url, options)
    request.once('error', reject)
    request.once('response', (response) => {
      const answer = { status: response.statusCode ?? 0, location: response.headers.location }
      let lengthBytes = 0
      response.on('data', (chunk: Buffer) => {
        lengthBytes += chunk.length
        if (lengthBytes > BODY_MAX_BYTES) response.destroy()
      })
      // The status counts, whatever becomes of the body.
      response.once('error', () => resolve(answer))
      response.once('close', () => resolve(answer))
    })
    request.end()
  })
}

/** An http GET for a life-cycle hook. */
export function callHook(target: ProbeTarget, get: HttpGet, timeoutMs: number): Promise<ProbeResult> {
  return checkHttp(target, get, timeoutMs)
}
