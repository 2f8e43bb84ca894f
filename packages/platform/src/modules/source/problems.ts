import { SECOND_MS, unreachable } from '@slipway/kit'

import { sourceErrors } from './errors.ts'
import type { GitResult } from './git.ts'
import { FETCH_MS, REPOSITORY_MAX_MIB } from './model.ts'
import { isBrokenMirror, readGitProblem } from './plan.ts'

/** The mirror itself is damaged, as after a loss of power; it is thrown away and fetched anew. */
export class BrokenMirror extends Error {
  override readonly name = 'BrokenMirror'
}

/** @throws {AppError} in the words of what went wrong @throws {BrokenMirror} */
export function requireSuccess(result: GitResult, place: string): void {
  if (result.outcome === 'ended' && result.code === 0) return
  if (result.outcome === 'timeout')
    throw sourceErrors.source_unreachable({ host: place, problem: 'it is too slow' })
  if (result.outcome !== 'ended')
    throw sourceErrors.source_too_large({ maxMiB: REPOSITORY_MAX_MIB, seconds: FETCH_MS / SECOND_MS })
  if (isBrokenMirror(result.stderr)) throw new BrokenMirror(result.stderr.slice(0, 2_000))
  const cause = new Error(result.stderr.slice(0, 2_000))
  const problem = readGitProblem(result.stderr)
  switch (problem.kind) {
    case 'login':
      throw sourceErrors.source_login_refused({ host: place }, { cause })
    case 'missing':
      throw sourceErrors.source_not_a_repository({ place }, { cause })
    case 'unreachable':
      throw sourceErrors.source_unreachable({ host: place, problem: problem.problem }, { cause })
    case 'hostKey':
      throw sourceErrors.source_host_key_changed({ host: place }, { cause })
    case 'unknownRef':
      throw sourceErrors.ref_unknown({ ref: '' }, { cause })
    case 'other':
      throw sourceErrors.source_failed({ problem: problem.problem }, { cause })
    default:
      unreachable(problem)
  }
}
