import { defineErrors } from '@slipway/kit'

/** Refusals of the PostgreSQL that Slipway starts itself; all are met at the start, by the one who operates it. */
export const postgresErrors = defineErrors({
  /** No binaries exist for this system (musl, an unusual processor): use DATABASE_URL. */
  postgres_unsupported: { status: 500 },
  /** The package with the binaries is not installed. */
  postgres_binaries_missing: { status: 500 },
  /** The data folder was made by another major version. */
  postgres_data_version: { status: 500 },
  postgres_disk_full: { status: 500 },
  postgres_folder_unreadable: { status: 500 },
  /** Processes that are not ours to end work in the data folder. */
  postgres_data_in_use: { status: 500 },
  /** The folder holds something, but no PostgreSQL data. */
  postgres_data_foreign: { status: 500 },
  postgres_start_failed: { status: 500 },
})
