import { execFile } from 'node:child_process'
import { devNull } from 'node:os'
import { promisify } from 'node:util'

const run = promisify(execFile)
const TIMEOUT_MS = 60_000
const OUTPUT_MAX_BYTES = 1024 * 1024

export type GitCall = {
  readonly folder: string
  /** Author and committer time, for commits. */
  readonly date?: Date
}

/** Runs git and answers what it printed, trimmed. */
export type Git = (parameters: readonly string[], call: GitCall) => Promise<string>

/**
 * A git whose results depend on nothing that a machine or a person has set up: configuration, templates, hooks, keys.
 * @param path - where programs are looked for, as in PATH
 */
export function isolatedGit(path: string): Git {
  return async (parameters, { folder, date }) => {
    const time = date === undefined ? undefined : `${Math.floor(date.getTime() / 1_000)} +0000`
    const fixed = ['-c', 'core.autocrlf=false', '-c', 'core.hooksPath=/dev/null', '-c', 'gc.auto=0']
    const { stdout } = await run('git', [...fixed, ...parameters], {
      cwd: folder,
      timeout: TIMEOUT_MS,
      maxBuffer: OUTPUT_MAX_BYTES,
      env: {
        PATH: path,
        HOME: folder,
        LC_ALL: 'C',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: devNull,
        GIT_TERMINAL_PROMPT: '0',
        GIT_DEFAULT_HASH: 'sha1',
        ...(time === undefined
          ? {}
          : {
              GIT_AUTHOR_NAME: 'Slipway',
              GIT_AUTHOR_EMAIL: 'samples@slipway.invalid',
              GIT_AUTHOR_DATE: time,
              GIT_COMMITTER_NAME: 'Slipway',
              GIT_COMMITTER_EMAIL: 'samples@slipway.invalid',
              GIT_COMMITTER_DATE: time,
            }),
      },
    })
    return stdout.trim()
  }
}
