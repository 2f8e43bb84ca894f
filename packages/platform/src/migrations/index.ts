import type { Migration } from '@slipway/db'

import { foundation } from './0001-foundation.ts'
import { fleet } from './0002-fleet.ts'
import { app } from './0003-app.ts'
import { release } from './0004-release.ts'
import { image } from './0005-image.ts'
import { source } from './0006-source.ts'
import { build } from './0007-build.ts'
import { event } from './0008-event.ts'
import { overview } from './0009-overview.ts'
import { device } from './0010-device.ts'
import { credential } from './0011-credential.ts'
import { tokenFamily } from './0012-token-family.ts'
import { releaseCounts } from './0013-release-counts.ts'
import { evacuation } from './0014-evacuation.ts'
import { buildLog } from './0015-build-log.ts'
import { releaseReserve } from './0016-release-reserve.ts'
import { location } from './0017-location.ts'
import { uncordon } from './0018-uncordon.ts'
import { grantEnd } from './0019-grant-end.ts'
import { placement } from './0020-placement.ts'
import { pool } from './0021-pool.ts'

/** Every migration in order; forward only. */
export const migrations: readonly Migration[] = [
  foundation,
  fleet,
  app,
  release,
  image,
  source,
  build,
  event,
  overview,
  device,
  credential,
  tokenFamily,
  releaseCounts,
  evacuation,
  buildLog,
  releaseReserve,
  location,
  uncordon,
  grantEnd,
  placement,
  pool,
]
