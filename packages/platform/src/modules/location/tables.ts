import type { LocationGrant } from './model.ts'

export type LocationTable = {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly is_default: boolean
  readonly restricted: boolean
  readonly created_at: Date
}
type ClusterLocationTable = { readonly cluster_id: string; readonly location_id: string }
export type LocationGrantTable = {
  readonly id: string
  readonly organization_id: string
  readonly project_id: string
  readonly location_id: string
  readonly state: LocationGrant['state']
  readonly reason: string
  readonly requested_by: string
  readonly requested_at: Date
  readonly decided_by: string | null
  readonly decided_at: Date | null
  readonly granted_until: Date | null
  readonly comment: string
}
export type LocationTables = {
  readonly location_location: LocationTable
  readonly location_cluster: ClusterLocationTable
  readonly location_grant: LocationGrantTable
}
