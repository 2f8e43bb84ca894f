import type { Migration } from '@slipway/db'
import { sql } from 'kysely'

/** A migration step: the given statements, one each, in order. */
export function statements(...list: readonly string[]): Migration['up'] {
  return async (db) => {
    for (const text of list) await sql.raw(text).execute(db)
  }
}

/** A migration step that runs several others in order. */
export function inOrder(...steps: readonly Migration['up'][]): Migration['up'] {
  return async (db) => {
    for (const step of steps) await step(db)
  }
}
