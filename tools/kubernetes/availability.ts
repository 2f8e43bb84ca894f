import { ensurePrograms, ToolsUnavailable, type Progress } from './build.ts'
import { ensureRuntimePrograms } from './debian-programs.ts'
import { clusterPrograms, nodePrograms } from './parts.ts'

/**
 * Builds what a real cluster needs; false where this machine cannot, after saying so in one line.
 * @throws {ToolsUnavailable} when CI is set: there nothing may be left out
 */
export async function canRunRealClusters(progress: Progress): Promise<boolean> {
  return await isPossible('a real cluster', progress, () => ensurePrograms(clusterPrograms, progress))
}

/** The same for clusters whose nodes run containers, which need Linux and root. */
export async function canRunNodes(progress: Progress): Promise<boolean> {
  return await isPossible('nodes that run containers', progress, async () => {
    await ensureRuntimePrograms(progress)
    await ensurePrograms([...clusterPrograms, ...nodePrograms], progress)
  })
}

async function isPossible(
  what: string,
  progress: Progress,
  prepare: () => Promise<unknown>,
): Promise<boolean> {
  try {
    await prepare()
    return true
  } catch (error) {
    if (!(error instanceof ToolsUnavailable) || process.env['CI'] === 'true') throw error
    progress(`left out what needs ${what}: ${error.message}`)
    return false
  }
}
