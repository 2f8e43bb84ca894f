import { access } from './access.ts'
import { agent } from './agent.ts'
import { app } from './app.ts'
import { audit } from './audit.ts'
import { build } from './build.ts'
import { device } from './device.ts'
import { evacuation } from './evacuation.ts'
import { event } from './event.ts'
import { fleet } from './fleet.ts'
import { image } from './image.ts'
import { identity } from './identity.ts'
import { instance } from './instance.ts'
import { location } from './location.ts'
import { node } from './node.ts'
import { overview } from './overview.ts'
import { pool } from './pool.ts'
import { release } from './release.ts'
import { source } from './source.ts'
import { system } from './system.ts'
import { tenancy } from './tenancy.ts'

/** Every endpoint, stream and protocol by its name; names are the methods of the sdk. */
export const contract = {
  ...system,
  ...identity,
  ...tenancy,
  ...access,
  ...audit,
  ...fleet,
  ...agent,
  ...app,
  ...release,
  ...instance,
  ...node,
  ...evacuation,
  ...location,
  ...pool,
  ...source,
  ...build,
  ...image,
  ...overview,
  ...event,
  ...device,
} as const

export type Contract = typeof contract
export type EndpointName = keyof Contract
