import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'

import { DAY_MS, messageOf, repeat, SECOND_MS, systemCodeOf, type AppError, type Clock } from '@slipway/kit'
import type { Logger } from 'pino'

import { httpErrors } from '../errors.ts'

const LOOK_MS = 10 * SECOND_MS
/** From then on its end is told, once a day. */
const WARN_DAYS = 21

export type CertificateFiles = { readonly certificate: string; readonly key: string }

/** What the platform proves itself with; files that change are taken up by themselves. */
export type ServingCertificate = Disposable & { readonly context: () => SecureContext }

type Pair = { readonly certificate: string; readonly key: string }

/**
 * Reads a certificate (with what stands between it and its authority) and its key, and watches both files. A pair that cannot
 * be used is told and left out: the one before goes on.
 * @param host - name or address that callers use; told when the certificate is for others
 * @throws {AppError} `certificate_unusable` when there is no usable pair at the start
 */
export async function openCertificate(
  files: CertificateFiles,
  about: { readonly clock: Clock; readonly log: Logger; readonly host: string },
): Promise<ServingCertificate> {
  const { clock, log } = about
  let pair = await readPair(files)
  let context = contextOf(pair, files)
  let toldAtMs = tell(pair, about)
  let refused: Pair | undefined

  async function look(): Promise<void> {
    const next = await readPair(files)
    if (isSame(next, pair) || (refused && isSame(next, refused))) {
      if (clock.monotonicMs() - toldAtMs >= DAY_MS) toldAtMs = tell(pair, about)
      return
    }
    refused = next
    context = contextOf(next, files)
    refused = undefined
    pair = next
    log.info({ until: new X509Certificate(pair.certificate).validToDate }, 'a new certificate is served')
    toldAtMs = tell(pair, about)
  }

  // Files are replaced one after the other, so a pair that does not fit may be half of a good one.
  const onError = (thrown: unknown): void => log.error({ err: thrown }, 'a changed certificate is not served')
  const timer = repeat(clock, LOOK_MS, look, onError)
  return { context: () => context, [Symbol.dispose]: () => timer[Symbol.dispose]() }
}

function isSame(one: Pair, other: Pair): boolean {
  return one.certificate === other.certificate && one.key === other.key
}

async function readPair(files: CertificateFiles): Promise<Pair> {
  const read = async (path: string): Promise<string> => {
    try {
      return await readFile(path, 'utf8')
    } catch (thrown) {
      throw unusable(path, systemCodeOf(thrown) ?? messageOf(thrown), thrown)
    }
  }
  return { certificate: await read(files.certificate), key: await read(files.key) }
}

/** @throws {AppError} `certificate_unusable` */
function contextOf({ certificate, key }: Pair, files: CertificateFiles): SecureContext {
  const first = parsed(files.certificate, () => new X509Certificate(certificate))
  const own = parsed(files.key, () => createPrivateKey(key))
  if (!first.checkPrivateKey(own))
    throw unusable(files.key, `it is not the key of the first certificate in ${files.certificate}`)
  return parsed(files.certificate, () =>
    createSecureContext({ cert: certificate, key, minVersion: 'TLSv1.2' }),
  )
}

function parsed<T>(path: string, parse: () => T): T {
  try {
    return parse()
  } catch (thrown) {
    throw unusable(path, messageOf(thrown), thrown)
  }
}

function unusable(path: string, reason: string, cause?: unknown): AppError {
  return httpErrors.certificate_unusable({ path, reason }, { cause })
}

/** Tells of an end that is near, and of a name that does not fit. @returns when, by the clock that only grows */
function tell(
  { certificate }: Pair,
  { clock, log, host }: { readonly clock: Clock; readonly log: Logger; readonly host: string },
): number {
  const first = new X509Certificate(certificate)
  const until = first.validToDate
  const leftMs = until.getTime() - clock.now().getTime()
  if (leftMs <= 0) log.error({ until }, 'the certificate has expired; replace its file')
  else if (leftMs < WARN_DAYS * DAY_MS) log.warn({ until }, 'the certificate ends soon; replace its file')
  if ((isIP(host) === 0 ? first.checkHost(host) : first.checkIP(host)) === undefined)
    log.warn({ host, names: first.subjectAltName }, 'the certificate is not for the public address')
  return clock.monotonicMs()
}
