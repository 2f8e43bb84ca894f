import { join, relative } from 'node:path'

import { readSetting, writeSetting, type ControlContext } from '../control/index.ts'
import { setSource, sourcesBelow } from '../modules/source/index.ts'
import { actAsSystem } from './system-account.ts'

const SETTING = 'sample-folder'

/**
 * The repositories of the sample lie in the data folder, which a restore or a person may have put elsewhere: sources that lead to
 * where they were are led to where they are.
 */
export async function followRepositories(context: ControlContext, folder: string): Promise<void> {
  await context.transact(async (db) => {
    const before = await readSetting(db, SETTING)
    if (before === folder) return
    await writeSetting(db, SETTING, folder)
    if (before === undefined) return
    for (const { applicationId, organizationId, projectId, url, defaultBranch } of await sourcesBelow(
      db,
      before,
    )) {
      const target = `application:${applicationId}`
      const moved = join(folder, relative(before, url))
      const change = {
        applicationId,
        url: moved,
        defaultBranch: defaultBranch ?? undefined,
        credentials: null,
      }
      await actAsSystem(context, db, { action: 'source.set', target, organizationId, projectId }, (ctx) =>
        setSource(ctx, change),
      )
    }
  })
}
