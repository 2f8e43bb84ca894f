export type Location = {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly isDefault: boolean
  readonly restricted: boolean
  readonly createdAt: Date
}

/** A Project's right to a restricted Location, from the request on. */
export type LocationGrant = {
  readonly id: string
  readonly organizationId: string
  readonly projectId: string
  readonly locationId: string
  readonly state: 'Requested' | 'Granted' | 'Refused'
  readonly reason: string
  readonly requestedBy: string
  readonly requestedAt: Date
  readonly decidedBy: string | null
  readonly decidedAt: Date | null
  /** When a grant ends by itself. */
  readonly until: Date | null
  readonly comment: string
}

/** A Cluster as far as it matters for where something goes. */
export type ClusterPlace = {
  readonly id: string
  readonly slug: string
  readonly isDefault: boolean
  readonly locationId: string
}
