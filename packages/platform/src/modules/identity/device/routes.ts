import type * as views from '@slipway/contract'
import { contract } from '@slipway/contract'

import type { RequestContext } from '../../../context.ts'
import { publicUrlOf } from '../../../http/browser.ts'
import { found, httpErrors } from '../../../http/errors.ts'
import type { Routes } from '../../../http/index.ts'
import { sessionView } from '../views.ts'
import { LOOKUPS_PER_MINUTE, STARTS_PER_MINUTE, type Device } from './model.ts'
import * as queries from './queries.ts'
import * as service from './service.ts'

export function deviceRoutes(routes: Routes): void {
  routes.onOutside(contract.startDeviceSignIn, async ({ body }, outer, commit) => {
    await limit(outer, `device-start:${outer.address}`, STARTS_PER_MINUTE)
    return commit(async (ctx) => {
      const { device, deviceCode } = await service.startDevice(ctx, body.client)
      const page = new URL('/device', publicUrlOf(ctx.settings))
      const complete = new URL(page)
      complete.searchParams.set('code', device.userCode)
      return {
        deviceCode,
        userCode: device.userCode,
        verificationUrl: page.href,
        verificationUrlComplete: complete.href,
        expiresAt: device.expiresAt.toISOString(),
        intervalSeconds: device.intervalSeconds,
      }
    })
  })
  routes.on(contract.pollDeviceSignIn, async ({ body }, ctx) => {
    const { state, intervalSeconds, session } = await service.pollDevice(ctx, body.deviceCode)
    return {
      state,
      intervalSeconds,
      session: session === undefined ? null : { ...sessionView(session), secret: session.secret },
    }
  })
  routes.onOutside(contract.getDeviceSignIn, async ({ params }, ctx) => {
    await limitLookups(ctx)
    return deviceView(found(await ctx.read((db) => queries.findByUserCode(db, params.code, ctx.now))), ctx)
  })
  routes.onOutside(contract.approveDeviceSignIn, async ({ params }, outer, commit) => {
    await limitLookups(outer)
    return commit(async (ctx) => deviceView(await service.decideDevice(ctx, params.code, 'approved'), ctx))
  })
  routes.onOutside(contract.denyDeviceSignIn, async ({ params }, outer, commit) => {
    await limitLookups(outer)
    return commit(async (ctx) => deviceView(await service.decideDevice(ctx, params.code, 'denied'), ctx))
  })
}

async function limitLookups(ctx: RequestContext): Promise<void> {
  await limit(ctx, `device:${ctx.account.id}`, LOOKUPS_PER_MINUTE)
}

/** @throws {AppError} `rate_limited` */
async function limit(ctx: RequestContext, key: string, maxPerMinute: number): Promise<void> {
  const { allowed, retryAfterSeconds } = await ctx.countHit(key, maxPerMinute)
  if (!allowed) throw httpErrors.rate_limited({ seconds: retryAfterSeconds }, { retryAfterSeconds })
}

function deviceView(device: Device, { address }: Pick<RequestContext, 'address'>): views.DeviceSignIn {
  return {
    userCode: device.userCode,
    client: device.client,
    address: device.address,
    sameAddress: device.address === address,
    state: device.state,
    createdAt: device.createdAt.toISOString(),
    expiresAt: device.expiresAt.toISOString(),
  }
}
