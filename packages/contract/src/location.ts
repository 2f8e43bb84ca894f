import { z } from 'zod'

import {
  DisplayName,
  idOf,
  Nothing,
  PageQuery,
  pageOf,
  ProjectId,
  Slug,
  Timestamp,
  UserId,
} from './common.ts'
import { endpoint } from './endpoint.ts'
import { ClusterId } from './fleet.ts'

export const LocationId = idOf('loc')
export const LocationGrantId = idOf('lgr')

/** Where Applications may run: a name for Clusters. A Cluster that names none is in the default one. */
export const Location = z.strictObject({
  id: LocationId,
  slug: Slug,
  name: DisplayName,
  isDefault: z.boolean(),
  /** Only Projects that were granted it may have Environments there. */
  restricted: z.boolean(),
  clusters: z.array(z.strictObject({ id: ClusterId, slug: Slug })),
  createdAt: Timestamp,
})
export type Location = z.infer<typeof Location>

/** `Ended`: it was granted until a moment that has passed; it may be asked for again. */
export const LocationGrantState = z.enum(['Requested', 'Granted', 'Refused', 'Ended'])
export type LocationGrantState = z.infer<typeof LocationGrantState>

/** A Project's right to a restricted Location, from the request on. */
export const LocationGrant = z.strictObject({
  id: LocationGrantId,
  location: z.strictObject({ id: LocationId, slug: Slug }),
  project: z.strictObject({ id: ProjectId, slug: Slug }),
  state: LocationGrantState,
  /** Why it is asked for. */
  reason: z.string(),
  requestedBy: UserId,
  requestedByName: z.string(),
  requestedAt: Timestamp,
  decidedBy: UserId.nullable(),
  decidedByName: z.string().nullable(),
  decidedAt: Timestamp.nullable(),
  /** When a grant ends by itself; null where it has no end. */
  until: Timestamp.nullable(),
  comment: z.string(),
})
export type LocationGrant = z.infer<typeof LocationGrant>

const Remark = z
  .string()
  .trim()
  .max(500)
  .regex(/^[^\p{Cc}]*$/u)
const inLocation = z.strictObject({ location: LocationId })

export const location = {
  listLocations: endpoint({
    method: 'GET',
    path: '/v1/locations',
    auth: 'account',
    permission: 'cluster:read',
    scope: 'visible',
    rate: 'read',
    summary: 'List the Locations, with their Clusters',
    query: PageQuery,
    status: 200,
    response: pageOf(Location),
  }),
  createLocation: endpoint({
    method: 'POST',
    path: '/v1/locations',
    auth: 'account',
    permission: 'cluster:create',
    scope: 'installation',
    rate: 'write',
    audit: 'location.create',
    summary: 'Create a Location',
    body: z.strictObject({
      slug: Slug,
      name: DisplayName.optional(),
      restricted: z.boolean().default(false),
      isDefault: z.boolean().default(false),
    }),
    status: 201,
    response: Location,
  }),
  updateLocation: endpoint({
    method: 'PATCH',
    path: '/v1/locations/:location',
    auth: 'account',
    permission: 'cluster:update',
    scope: 'installation',
    rate: 'write',
    audit: 'location.update',
    summary: 'Rename a Location, make it the default, or restrict it to Projects that are granted it',
    description: 'Environments that are there already stay.',
    params: inLocation,
    body: z.strictObject({
      name: DisplayName.optional(),
      restricted: z.boolean().optional(),
      isDefault: z.literal(true).optional(),
    }),
    status: 200,
    response: Location,
  }),
  deleteLocation: endpoint({
    method: 'DELETE',
    path: '/v1/locations/:location',
    auth: 'account',
    permission: 'cluster:delete',
    scope: 'installation',
    rate: 'write',
    audit: 'location.delete',
    summary: 'Delete a Location that no Cluster names',
    params: inLocation,
    status: 204,
    response: Nothing,
  }),
  setClusterLocation: endpoint({
    method: 'PUT',
    path: '/v1/clusters/:cluster/location',
    auth: 'account',
    permission: 'cluster:update',
    scope: 'installation',
    rate: 'write',
    audit: 'cluster.location.set',
    summary: 'Put a Cluster into a Location',
    params: z.strictObject({ cluster: ClusterId }),
    body: z.strictObject({ location: LocationId }),
    status: 200,
    response: Location,
  }),
  requestLocation: endpoint({
    method: 'POST',
    path: '/v1/projects/:project/location-grants',
    auth: 'account',
    permission: 'environment:create',
    scope: 'project',
    rate: 'write',
    audit: 'location.request',
    summary:
      'Ask for a restricted Location for a Project; after a refusal, or once a grant has ended, it may be asked for again',
    params: z.strictObject({ project: ProjectId }),
    body: z.strictObject({ location: LocationId, reason: Remark.default('') }),
    status: 201,
    response: LocationGrant,
  }),
  listLocationGrants: endpoint({
    method: 'GET',
    path: '/v1/location-grants',
    auth: 'account',
    permission: 'project:read',
    scope: 'visible',
    rate: 'read',
    summary: 'List requests for Locations and what became of them, the newest first',
    query: PageQuery.extend({
      project: ProjectId.optional(),
      location: LocationId.optional(),
      state: LocationGrantState.optional(),
    }),
    status: 200,
    response: pageOf(LocationGrant),
  }),
  decideLocationGrant: endpoint({
    method: 'POST',
    path: '/v1/location-grants/:grant/decision',
    auth: 'account',
    permission: 'cluster:update',
    scope: 'installation',
    rate: 'write',
    audit: 'location.decide',
    summary: 'Grant a Location to the Project that asked for it, refuse it, or take it back',
    description:
      'Taking it back ends nothing, and neither does the end of a grant: Environments that are there stay, new ones are refused. Deciding again sets another end, or none; a refusal has none.',
    params: z.strictObject({ grant: LocationGrantId }),
    body: z.strictObject({ granted: z.boolean(), until: Timestamp.optional(), comment: Remark.default('') }),
    status: 200,
    response: LocationGrant,
  }),
} as const
