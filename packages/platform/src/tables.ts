import type { Db as DbOf } from '@slipway/db'

import type { ControlTables } from './control/tables.ts'
import type { HttpTables } from './http/tables.ts'
import type { AccessTables } from './modules/access/tables.ts'
import type { AppTables } from './modules/app/tables.ts'
import type { AuditTables } from './modules/audit/tables.ts'
import type { BuildTables } from './modules/build/tables.ts'
import type { EvacuationTables } from './modules/evacuation/tables.ts'
import type { EventTables } from './modules/event/tables.ts'
import type { FleetTables } from './modules/fleet/tables.ts'
import type { IdentityTables } from './modules/identity/tables.ts'
import type { ImageTables } from './modules/image/tables.ts'
import type { LocationTables } from './modules/location/tables.ts'
import type { PoolTables } from './modules/pool/tables.ts'
import type { ReleaseTables } from './modules/release/tables.ts'
import type { SourceTables } from './modules/source/tables.ts'
import type { TenancyTables } from './modules/tenancy/tables.ts'

/** Every table of the platform; each module declares its own. */
export type Tables = ControlTables &
  HttpTables &
  TenancyTables &
  AccessTables &
  IdentityTables &
  AuditTables &
  AppTables &
  FleetTables &
  ReleaseTables &
  ImageTables &
  SourceTables &
  BuildTables &
  EventTables &
  EvacuationTables &
  LocationTables &
  PoolTables

/** A transaction that carries its scope: the Organizations whose rows it sees. Reads have one too. */
export type Db = DbOf<Tables>

/**
 * The tables without row-level security, each with its reason. A test compares this list with the database.
 * Sign-in, token and name look-ups in `http/` read only these before the scope is known.
 */
export const tablesWithoutRowSecurity: Readonly<Record<string, string>> = {
  tenancy_organization: 'the tree itself decides what a caller may see',
  access_membership: 'read to find the scope',
  identity_user: 'belongs to the installation, not to an Organization',
  identity_session: 'read to find the caller',
  identity_token: 'read to find the caller',
  identity_first_run: 'one row for the installation',
  identity_device: 'belongs to nobody yet',
  fleet_cluster: 'belongs to the installation; Environments refer to it',
  location_location: 'belongs to the installation, like its Clusters',
  location_cluster: 'belongs to Clusters',
  pool_pool: 'belongs to a Cluster',
  pool_rent:
    'belongs to a Cluster and keeps others out; whose it is is told only to those who may see the Project',
  evacuation_run: 'belongs to a Cluster; what moved is in evacuation_move',
  image_blob: 'content by digest, shared by repositories; what one may see is decided by their links',
  image_review: 'queue of the collector',
  image_token_key: 'keys of the registry, sealed',
  audit_chain: 'heads of the chains; holds hashes only',
  event_log: 'one row that names the log of changes',
  http_rate: 'counts requests by caller',
  http_idempotency: 'keyed by caller',
  control_lease: 'who leads what',
  control_setting: 'settings of the installation',
}
