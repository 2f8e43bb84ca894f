import type * as views from '@slipway/contract'
import { newSecret } from '@slipway/kit'

import type { Ctx } from '../../../context.ts'
import { found } from '../../../http/errors.ts'
import { identityErrors } from '../errors.ts'
import { findUser } from '../queries.ts'
import { hashOfSecret, openSession, type OpenedSession } from '../service.ts'
import {
  DEVICE_MS,
  DEVICE_PREFIX,
  INTERVAL_SECONDS,
  newUserCode,
  paceOf,
  WAITING_MAX,
  type Device,
} from './model.ts'
import * as queries from './queries.ts'

const CODE_ATTEMPTS = 5

/** Starts a sign-in. The device code is shown once and kept as its hash. */
export async function startDevice(
  ctx: Ctx,
  client: string,
): Promise<{ readonly device: Device; readonly deviceCode: string }> {
  await queries.forgetExpired(ctx.db, ctx.now)
  if ((await queries.countWaiting(ctx.db, ctx.now)) >= WAITING_MAX)
    throw identityErrors.device_busy({ seconds: 60 }, { retryAfterSeconds: 60 })
  const deviceCode = DEVICE_PREFIX + newSecret()
  for (let attempt = 0; attempt < CODE_ATTEMPTS; attempt += 1) {
    const device: Device = {
      deviceHash: hashOfSecret(deviceCode),
      userCode: newUserCode(),
      client,
      address: ctx.address,
      state: 'pending',
      userId: null,
      intervalSeconds: INTERVAL_SECONDS,
      polledAt: null,
      createdAt: ctx.now,
      expiresAt: new Date(ctx.now.getTime() + DEVICE_MS),
    }
    if (await queries.insertDevice(ctx.db, device)) {
      ctx.note({ detail: { client } })
      return { device, deviceCode }
    }
  }
  throw identityErrors.device_busy({ seconds: 5 }, { retryAfterSeconds: 5 })
}

export type Polled = {
  readonly state: views.DevicePoll['state']
  readonly intervalSeconds: number
  readonly session?: OpenedSession
}

/** What became of a sign-in. Once approved it opens the session and is used up. */
export async function pollDevice(ctx: Ctx, deviceCode: string): Promise<Polled> {
  const device = await queries.lockDevice(ctx.db, hashOfSecret(deviceCode), ctx.now)
  const intervalSeconds = device?.intervalSeconds ?? INTERVAL_SECONDS
  const user = device?.state === 'approved' ? await findUser(ctx.db, device.userId ?? '') : undefined
  if (device && user && !user.disabled) {
    await queries.deleteDevice(ctx.db, device.deviceHash)
    return { state: 'approved', intervalSeconds, session: await openSession(ctx, user) }
  }
  // A question that changes nothing is not worth an event each time.
  ctx.note({ unremarkable: true })
  if (!device) return { state: 'expired', intervalSeconds }
  if (device.state !== 'pending') return { state: 'denied', intervalSeconds }
  const pace = paceOf(device, ctx.now)
  await queries.keepPace(ctx.db, device.deviceHash, pace.intervalSeconds, ctx.now)
  return { state: pace.tooSoon ? 'slow-down' : 'pending', intervalSeconds: pace.intervalSeconds }
}

/** A person's answer. @throws {AppError} `not_found`, `device_decided`, `device_needs_session` */
export async function decideDevice(
  ctx: Ctx,
  userCode: string,
  state: 'approved' | 'denied',
): Promise<Device> {
  // A token may be narrower than its user; the session that would come out of this is not.
  if (ctx.account.via !== 'session') throw identityErrors.device_needs_session()
  const before = found(await queries.findByUserCode(ctx.db, userCode, ctx.now))
  const device = await queries.decideDevice(ctx.db, userCode, { state, userId: ctx.account.id, now: ctx.now })
  if (!device) throw identityErrors.device_decided()
  ctx.note({ target: `user:${ctx.account.id}`, detail: { client: before.client, from: before.address } })
  return device
}
