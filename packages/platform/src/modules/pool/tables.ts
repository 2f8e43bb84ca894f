import type { Member, Why } from './model.ts'

export type PoolTable = {
  readonly id: string
  readonly cluster_id: string
  readonly slug: string
  readonly name: string
  readonly exclusive: boolean
  readonly selector: Readonly<Record<string, string>> | null
  readonly nodes: string[]
  readonly members: readonly Member[]
  readonly problem: Why | null
  readonly deleting: boolean
  readonly created_at: Date
}
export type RentTable = {
  readonly id: string
  readonly pool_id: string
  readonly cluster_id: string
  readonly organization_id: string
  readonly project_id: string
  readonly is_default: boolean
  readonly comment: string
  readonly rented_by: string
  readonly rented_from: Date
  readonly rented_until: Date
  readonly ended_at: Date | null
}
export type PoolTables = { readonly pool_pool: PoolTable; readonly pool_rent: RentTable }
