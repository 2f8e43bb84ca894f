/** How deep Organizations may be nested; the top has depth 0. */
export const ORGANIZATION_DEPTH_MAX = 8

export type Organization = {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly parentId: string | null
  readonly depth: number
  readonly createdAt: Date
}
export type Project = {
  readonly id: string
  readonly organizationId: string
  readonly slug: string
  readonly name: string
  readonly createdAt: Date
}
export type Environment = {
  readonly id: string
  readonly organizationId: string
  readonly projectId: string
  readonly slug: string
  readonly name: string
  readonly clusterId: string
  readonly createdAt: Date
}
