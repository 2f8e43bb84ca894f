import type { Migration } from '@slipway/db'

import { foundation } from './0001-foundation.ts'

/** Every migration in order; forward only. */
export const migrations: readonly Migration[] = [foundation]
