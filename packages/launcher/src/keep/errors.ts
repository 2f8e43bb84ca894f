import { defineErrors } from '@slipway/messages'

/** Refusals of backing up and restoring; all are met by the one who operates it. */
export const keepErrors = defineErrors({
  /** There is no installation in the data folder. */
  backup_nothing_here: { status: 500 },
  /** A backup gets a folder of its own. */
  backup_folder_used: { status: 500 },
  /** The data folder holds an installation, or something else. */
  restore_folder_used: { status: 500 },
  /** A restore needs the key that the backup was made with. */
  restore_key_missing: { status: 500 },
  /** Cut short, changed, or no backup at all. */
  backup_invalid: { status: 400 },
  backup_newer: { status: 409 },
  master_key_wrong: { status: 500 },
  /** A start on a folder into which a restore broke off. */
  restore_unfinished: { status: 500 },
})
