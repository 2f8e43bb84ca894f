import { defineErrors } from '@slipway/kit'

/** Refusals of the data folder; all are met at the start, by the one who operates it. */
export const dataFolderErrors = defineErrors({
  /** Another Slipway runs on it: `pid`, and `address` once it listens. */
  data_folder_in_use: { status: 500 },
  /** As root: `blocked` keeps other accounts out, and PostgreSQL and applications run as other accounts. */
  data_folder_not_enterable: { status: 500 },
  /** It belongs to another account (`uid`). */
  data_folder_other_account: { status: 500 },
  /** It holds something, but nothing of ours. */
  data_folder_foreign: { status: 500 },
  /** A newer version has written it: `version`. */
  data_folder_newer: { status: 500 },
  data_folder_unreadable: { status: 500 },
  data_folder_full: { status: 500 },
  /** There are secrets and no key to open them. */
  master_key_missing: { status: 500 },
  /** Not 32 bytes in base64url, or bytes that nobody drew by chance. */
  master_key_invalid: { status: 500 },
})
