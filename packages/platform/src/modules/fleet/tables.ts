import type { Credential, GatewaySettings } from './model.ts'

export type ClusterTable = {
  readonly id: string
  readonly slug: string
  readonly name: string
  /** The sealed kubeconfig. */
  readonly credentials: string
  readonly credential: Credential
  readonly server: string
  readonly gateway: GatewaySettings
  readonly is_default: boolean
  readonly created_at: Date
  readonly updated_at: Date
}
export type FleetTables = { readonly fleet_cluster: ClusterTable }
