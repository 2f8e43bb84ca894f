import { contract } from '@slipway/contract'

import type { Platform } from '../context.ts'
import { VERSION } from '../version.ts'
import { readSetting } from '../control/queries.ts'
import type { Routes } from './routes.ts'

export function systemRoutes(routes: Routes, platform: Platform): void {
  routes.on(contract.getVersion, async () => ({ version: VERSION, installation: platform.installationId }))
  routes.on(contract.getHealth, async (_, ctx) => {
    await readSetting(ctx.db, 'installation')
    return { status: 'ok' as const }
  })
}
