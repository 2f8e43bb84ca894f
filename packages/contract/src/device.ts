import { z } from 'zod'

import { DisplayName, SecretText, Timestamp } from './common.ts'
import { endpoint } from './endpoint.ts'
import { Session } from './identity.ts'

/*
 * Signing in a program that has no browser (RFC 8628). The program starts a sign-in and shows a code; a person who is signed
 * in enters it at `/device`, sees what asks and from where, and says yes or no; the program asks until it knows.
 */

/** What people type: eight consonants in two groups, so that no word comes about and nothing can be mistaken. */
export const UserCode = z
  .string()
  .max(20)
  .regex(/^[BCDFGHJKLMNPQRSTVWXZbcdfghjklmnpqrstvwxz]{4}[- ]?[BCDFGHJKLMNPQRSTVWXZbcdfghjklmnpqrstvwxz]{4}$/u)
  .transform((text) => {
    const letters = text.replace(/[- ]/u, '').toUpperCase()
    return `${letters.slice(0, 4)}-${letters.slice(4)}`
  })
  .meta({ description: 'ABCD-EFGH; case and the hyphen do not matter' })

export const StartedDeviceSignIn = z.strictObject({
  /** Proves who started it; never shown to anybody. */
  deviceCode: z.string(),
  /** Shown to the person. */
  userCode: z.string(),
  /** Where the person enters it. */
  verificationUrl: z.string(),
  /** The same with the code filled in; the person still compares it. */
  verificationUrlComplete: z.string(),
  expiresAt: Timestamp,
  /** Seconds between two questions at least. */
  intervalSeconds: z.number().int(),
})
export type StartedDeviceSignIn = z.infer<typeof StartedDeviceSignIn>

export const DevicePoll = z.strictObject({
  /**
   * `slow-down`: asked too soon; from now on the interval is longer. `denied`, `expired`: it is over; a code that is unknown or
   * was used up is expired too.
   */
  state: z.enum(['pending', 'slow-down', 'approved', 'denied', 'expired']),
  intervalSeconds: z.number().int(),
  /** Set once, when approved. */
  session: Session.nullable(),
})
export type DevicePoll = z.infer<typeof DevicePoll>

/** What a person sees before they decide. */
export const DeviceSignIn = z.strictObject({
  userCode: z.string(),
  /** What the program says of itself; nobody has checked it. */
  client: z.string(),
  /** Where it asks from, as the platform sees it. */
  address: z.string(),
  /** Whether that is where this request comes from too. */
  sameAddress: z.boolean(),
  state: z.enum(['pending', 'approved', 'denied']),
  createdAt: Timestamp,
  expiresAt: Timestamp,
})
export type DeviceSignIn = z.infer<typeof DeviceSignIn>

const byCode = z.strictObject({ code: UserCode })

export const device = {
  startDeviceSignIn: endpoint({
    method: 'POST',
    path: '/v1/device-sign-ins',
    auth: 'none',
    permission: 'public',
    rate: 'login',
    audit: 'device.start',
    summary:
      'Start signing in a program without a browser: a code for the person, another one for the program',
    body: z.strictObject({
      /** Shown to the person, e.g. `slipway on build-7`. */
      client: DisplayName,
    }),
    status: 201,
    response: StartedDeviceSignIn,
    secretResponse: true,
  }),
  pollDeviceSignIn: endpoint({
    method: 'POST',
    path: '/v1/device-sign-ins/polls',
    auth: 'none',
    permission: 'public',
    rate: 'read',
    audit: 'session.create',
    summary:
      'Ask whether the person has decided; the session comes once, and only to who holds the device code',
    body: z.strictObject({ deviceCode: SecretText }),
    status: 200,
    response: DevicePoll,
    secretResponse: true,
  }),
  getDeviceSignIn: endpoint({
    method: 'GET',
    path: '/v1/device-sign-ins/:code',
    auth: 'account',
    permission: 'self',
    rate: 'read',
    summary: 'Read what asks to be signed in as the caller, and from where',
    params: byCode,
    status: 200,
    response: DeviceSignIn,
  }),
  approveDeviceSignIn: endpoint({
    method: 'POST',
    path: '/v1/device-sign-ins/:code/approvals',
    auth: 'account',
    permission: 'self',
    rate: 'write',
    audit: 'device.approve',
    summary:
      'Let the program sign in as the caller, with everything the caller may do; needs a session, a token is not enough',
    params: byCode,
    status: 200,
    response: DeviceSignIn,
  }),
  denyDeviceSignIn: endpoint({
    method: 'POST',
    path: '/v1/device-sign-ins/:code/denials',
    auth: 'account',
    permission: 'self',
    rate: 'write',
    audit: 'device.deny',
    summary: 'Do not let the program sign in',
    params: byCode,
    status: 200,
    response: DeviceSignIn,
  }),
} as const
