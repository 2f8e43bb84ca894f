import type { PlatformRole } from '@slipway/contract'

export type UserTable = {
  readonly id: string
  readonly name: string
  readonly display_name: string
  /** Scheme, parameters, salt and hash as one text. */
  readonly password_hash: string
  readonly platform_roles: PlatformRole[]
  readonly disabled: boolean
  readonly created_at: Date
}
export type SessionTable = {
  /** SHA-256 of the secret: the secret itself is never stored. */
  readonly secret_hash: string
  readonly user_id: string
  readonly created_at: Date
  readonly used_at: Date
  readonly expires_at: Date
}
export type TokenTable = {
  readonly id: string
  readonly user_id: string
  readonly organization_id: string | null
  readonly name: string
  readonly secret_hash: string
  readonly created_at: Date
  readonly expires_at: Date
  readonly used_at: Date | null
  readonly made_with: string | null
}
export type FirstRunTable = {
  readonly secret_hash: string
  readonly expires_at: Date
}
/** Sign-ins of programs without a browser. */
export type DeviceTable = {
  readonly device_hash: string
  readonly user_code: string
  readonly client: string
  readonly address: string
  readonly state: 'pending' | 'approved' | 'denied'
  readonly user_id: string | null
  readonly interval_seconds: number
  readonly polled_at: Date | null
  readonly created_at: Date
  readonly expires_at: Date
}
export type IdentityTables = {
  readonly identity_user: UserTable
  readonly identity_session: SessionTable
  readonly identity_token: TokenTable
  readonly identity_first_run: FirstRunTable
  readonly identity_device: DeviceTable
}
