import { ensurePrograms, ToolsUnavailable, type Progress } from './build.ts'
import { clusterPrograms } from './parts.ts'

/**
 * Builds what a real cluster needs; false where this machine cannot, after saying so in one line.
 * @throws {ToolsUnavailable} when CI is set: there nothing may be left out
 */
export async function canRunRealClusters(progress: Progress): Promise<boolean> {
  try {
    await ensurePrograms(clusterPrograms, progress)
    return true
  } catch (error) {
    if (!(error instanceof ToolsUnavailable) || process.env['CI'] === 'true') throw error
    progress(`left out what needs a real cluster: ${error.message}`)
    return false
  }
}
