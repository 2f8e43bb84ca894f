export type OrganizationTable = {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly parent_id: string | null
  readonly depth: number
  readonly created_at: Date
}
export type ProjectTable = {
  readonly id: string
  readonly organization_id: string
  readonly slug: string
  readonly name: string
  readonly created_at: Date
}
export type EnvironmentTable = {
  readonly id: string
  readonly organization_id: string
  readonly project_id: string
  readonly slug: string
  readonly name: string
  readonly cluster_id: string
  readonly created_at: Date
}
export type TenancyTables = {
  readonly tenancy_organization: OrganizationTable
  readonly tenancy_project: ProjectTable
  readonly tenancy_environment: EnvironmentTable
}
