import { hostname } from 'node:os'

import type { DevicePoll, StartedDeviceSignIn } from '@slipway/contract'
import { must, SECOND_MS } from '@slipway/kit'
import { ApiError } from '@slipway/sdk'

import type { Deps } from './deps.ts'
import { cliErrors } from './errors.ts'

/*
 * Signs in through a browser that may be anywhere (RFC 8628): shows an address and a code, and asks the platform until the
 * person has decided there. No password passes through here.
 */
const CLIENT_LENGTH_MAX = 100
const INTERVAL_MAX_SECONDS = 60

/** @returns the session's secret. @throws {AppError} `device_denied`, `device_expired` */
export async function signInByDevice(deps: Deps): Promise<string> {
  const { io, text, clock, signal } = deps
  const client = `slipway ${deps.version}, ${hostname()}`.slice(0, CLIENT_LENGTH_MAX)
  const api = deps.connect({})
  const started = await api.startDeviceSignIn({ client }, { signal })
  const minutes = Math.round((Date.parse(started.expiresAt) - clock.now().getTime()) / (60 * SECOND_MS))
  io.complain(
    text('login.deviceOpen', {
      url: started.verificationUrlComplete,
      page: started.verificationUrl,
      code: started.userCode,
      minutes: Math.max(1, minutes),
    }),
  )
  io.progress(text('login.deviceWaiting'))
  try {
    return await waitForPerson(deps, api, started)
  } finally {
    io.progress('')
  }
}

async function waitForPerson(
  { clock, signal }: Deps,
  api: ReturnType<Deps['connect']>,
  started: StartedDeviceSignIn,
): Promise<string> {
  let intervalSeconds = started.intervalSeconds
  for (;;) {
    await clock.sleep(intervalSeconds * SECOND_MS, signal)
    const polled = await poll(api, started.deviceCode, signal)
    // RFC 8628, 3.5: who gets no answer asks more slowly.
    intervalSeconds = polled?.intervalSeconds ?? Math.min(intervalSeconds * 2, INTERVAL_MAX_SECONDS)
    switch (polled?.state) {
      case 'approved':
        return must(polled.session?.secret, 'an approved sign-in brings a session')
      case 'denied':
        throw cliErrors.device_denied()
      case 'expired':
        throw cliErrors.device_expired()
      default:
    }
  }
}

/** Undefined when the platform does not answer for now. */
async function poll(
  api: ReturnType<Deps['connect']>,
  deviceCode: string,
  signal: AbortSignal,
): Promise<DevicePoll | undefined> {
  try {
    return await api.pollDeviceSignIn({ deviceCode }, { signal })
  } catch (thrown) {
    signal.throwIfAborted()
    const isPassing =
      thrown instanceof ApiError && (thrown.status === 0 || thrown.status === 429 || thrown.status >= 500)
    if (!isPassing) throw thrown
    return undefined
  }
}
