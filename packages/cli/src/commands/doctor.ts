import { isIP } from 'node:net'
import { connect } from 'node:tls'

import { DAY_MS, messageOf } from '@slipway/kit'
import { errorText } from '@slipway/messages'
import { ApiError } from '@slipway/sdk'

import { commandOf } from '../command.ts'
import type { Deps } from '../deps.ts'
import { Exit, type ExitCode } from '../exit.ts'

export function doctor(deps: Deps, run = runDoctor) {
  return commandOf(deps, 'doctor', ['doctor', 'doctor -o json']).action(() => deps.exit(run(deps)))
}

type CheckName = 'node' | 'config' | 'server' | 'certificate' | 'version' | 'clock' | 'account'
type Check = {
  readonly check: CheckName
  readonly status: 'ok' | 'warning' | 'failed'
  readonly detail: string
}

const PATIENCE = { timeoutMs: 5_000, attemptsMax: 1 }
const CLOCK_SKEW_MAX_SECONDS = 30
const CERTIFICATE_SOON_DAYS = 21

/** Checks everything, also after a failure: the list as a whole is the diagnosis. Ends with 1 when one failed. */
export async function runDoctor(deps: Deps): Promise<ExitCode> {
  const checks: Check[] = [
    { check: 'node', status: 'ok', detail: process.version },
    await configCheck(deps),
    ...(await serverChecks(deps)),
  ]
  await deps.print(checks, {
    columns: [
      { title: 'column.check', value: ({ check }) => deps.text(`doctor.${check}`) },
      { title: 'column.status', value: ({ status }) => deps.text(`doctor.${status}`) },
      { title: 'column.detail', value: ({ detail }) => detail },
    ],
    name: ({ check, status }) => `${check}/${status}`,
  })
  return checks.some(({ status }) => status === 'failed') ? Exit.error : Exit.ok
}

async function configCheck(deps: Deps): Promise<Check> {
  const { file } = deps.config
  const mode = await deps.config.mode()
  if (mode === undefined) return { check: 'config', status: 'ok', detail: deps.text('doctor.noConfig') }
  if ((mode & 0o077) !== 0)
    return { check: 'config', status: 'failed', detail: deps.text('doctor.configOpen', { file }) }
  return { check: 'config', status: 'ok', detail: deps.text('doctor.configOk', { file }) }
}

async function serverChecks(deps: Deps): Promise<readonly Check[]> {
  const { url, source, bearer } = deps.server()
  const startMs = deps.clock.monotonicMs()
  try {
    const { version } = await deps.connect(PATIENCE).getVersion({}, { signal: deps.signal })
    const ms = Math.round(deps.clock.monotonicMs() - startMs)
    return [
      { check: 'server', status: 'ok', detail: deps.text('doctor.serverOk', { server: url, ms, source }) },
      ...(await certificateChecks(deps, url)),
      versionCheck(deps, version),
      await clockCheck(deps, url),
      await accountCheck(deps, bearer),
    ]
  } catch (thrown) {
    if (deps.signal.aborted) throw thrown
    return [{ check: 'server', status: 'failed', detail: reasonOf(deps, url, thrown) }]
  }
}

function reasonOf(deps: Deps, url: string, thrown: unknown): string {
  if (!(thrown instanceof ApiError)) return `${url}: ${messageOf(thrown)}`
  if (thrown.code === 'server_unreachable') return deps.text('doctor.serverBad', { server: url })
  const text = errorText(deps.language, thrown.code, thrown.params)
  return text === thrown.code ? `${url}: ${thrown.message}` : text
}

/** How long the certificate is valid; it was found to be a good one, or there would have been no answer. */
async function certificateChecks(deps: Deps, url: string): Promise<readonly Check[]> {
  const { protocol, hostname, port } = new URL(url)
  if (protocol !== 'https:') return []
  const host = hostname.replace(/^\[|\]$/gu, '')
  const until = await certificateEnd(host, port === '' ? 443 : Number(port), deps.signal)
  const leftMs = until.getTime() - deps.clock.now().getTime()
  const isFine = leftMs > CERTIFICATE_SOON_DAYS * DAY_MS
  const params = { until: until.toISOString().slice(0, 10) }
  const detail = deps.text(isFine ? 'doctor.certificateOk' : 'doctor.certificateSoon', params)
  return [{ check: 'certificate', status: isFine ? 'ok' : 'warning', detail }]
}

function certificateEnd(host: string, port: number, signal: AbortSignal): Promise<Date> {
  const { promise, resolve, reject } = Promise.withResolvers<Date>()
  const socket = connect({
    host,
    port,
    timeout: PATIENCE.timeoutMs,
    ...(isIP(host) === 0 && { servername: host }),
  })
  const stop = (): void => void socket.destroy(new Error('interrupted'))
  signal.addEventListener('abort', stop, { once: true })
  socket.once('timeout', () => socket.destroy(new Error(`${host} does not answer`)))
  socket.once('error', reject)
  socket.once('secureConnect', () => {
    resolve(new Date(socket.getPeerCertificate().valid_to))
    socket.destroy()
  })
  socket.once('close', () => signal.removeEventListener('abort', stop))
  return promise
}

function versionCheck(deps: Deps, version: string): Check {
  if (version === deps.version)
    return { check: 'version', status: 'ok', detail: deps.text('doctor.versionOk', { version }) }
  const detail = deps.text('doctor.versionOther', { own: deps.version, version })
  return { check: 'version', status: 'warning', detail }
}

/** Signed addresses and token times fail in odd ways on a computer whose clock is wrong. */
async function clockCheck(deps: Deps, url: string): Promise<Check> {
  const response = await fetch(new URL('/v1/version', url), { signal: deps.signal, redirect: 'error' })
  await response.body?.cancel()
  const server = Date.parse(response.headers.get('date') ?? '')
  const seconds = Number.isNaN(server) ? 0 : Math.round((deps.clock.now().getTime() - server) / 1_000)
  const isFine = Math.abs(seconds) <= CLOCK_SKEW_MAX_SECONDS
  const detail = deps.text(isFine ? 'doctor.clockOk' : 'doctor.clockBad', { seconds })
  return { check: 'clock', status: isFine ? 'ok' : 'warning', detail }
}

async function accountCheck(deps: Deps, bearer: string | undefined): Promise<Check> {
  const nobody: Check = { check: 'account', status: 'warning', detail: deps.text('doctor.accountNone') }
  if (bearer === undefined) return nobody
  try {
    const { user, via } = await deps.connect({ ...PATIENCE, bearer }).whoami({}, { signal: deps.signal })
    const detail = deps.text('doctor.accountOk', { name: user.name, via })
    return { check: 'account', status: 'ok', detail }
  } catch (thrown) {
    if (thrown instanceof ApiError && thrown.status === 401) return nobody
    throw thrown
  }
}
