import type { PlatformRole } from '@slipway/contract'

/** Roles on the installation as a whole. Spelt out here, because loading the contract's schemas takes too long. */
export const platformRoles = ['operator', 'auditor'] as const satisfies readonly PlatformRole[]
export type PlatformRoleName = (typeof platformRoles)[number]
