/*
 * Isolation of builds. As root: namespaces of its own for processes and mounts, /tmp of its own, then a uid of its own without
 * privileges. As an ordinary user: a user and a process namespace, where the kernel lets that be, which is decided by running
 * exactly that once. Else the process group and the sweep of /proc have to do, and the pod says so.
 */
import { execFile } from 'node:child_process'

import type { IsolationMode } from './model.ts'

const ROOT_FLAGS = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
const USER_FLAGS = ['--user', '--map-current-user', '--pid', '--fork', '--kill-child', '--mount-proc']
const PROBE_TIMEOUT_MS = 5_000

/** The first process of the namespace must not be the application: the kernel shields that one from default signal actions. */
const FIRST_PROCESS = `
trap : TERM INT HUP
if [ -n "$2" ]; then mkdir -p "$1/$2" && mount --rbind "/tmp/$2" "$1/$2" || exit 126; fi
if [ -n "$1" ]; then mount --rbind "$1" /tmp || exit 126; fi
shift 2
"$@"
exit $?
`

/** The strongest isolation this machine gives us; runs each candidate once. */
export async function probeIsolation(asRoot: boolean): Promise<IsolationMode> {
  const works = (argv: readonly string[]): Promise<boolean> =>
    new Promise((resolve) => {
      const [file = '', ...rest] = argv
      execFile(file, rest, { timeout: PROBE_TIMEOUT_MS }, (error) => resolve(error === null))
    })
  if (asRoot && (await works(['unshare', ...ROOT_FLAGS, 'setpriv', ...privileges(65_534), 'true'])))
    return 'pid-namespace'
  if (!asRoot && (await works(['unshare', ...USER_FLAGS, 'true']))) return 'user-namespace'
  return 'process-group'
}

function privileges(uid: number): readonly string[] {
  return [
    `--reuid=${uid}`,
    `--regid=${uid}`,
    '--clear-groups',
    '--inh-caps=-all',
    '--bounding-set=-all',
    '--no-new-privs',
  ]
}

/** The command line within its isolation. `wrapperUid` is the uid the wrapper runs under: root where it still has to give up rights. */
export function isolate(options: {
  readonly mode: IsolationMode
  readonly argv: readonly string[]
  readonly hostUid: number | undefined
  readonly temporaryFolder: string
}): { readonly argv: readonly string[]; readonly wrapperUid: number | undefined } {
  const { mode, argv, hostUid, temporaryFolder } = options
  switch (mode) {
    case 'pid-namespace': {
      const drop = hostUid === undefined ? [] : ['setpriv', ...privileges(hostUid)]
      // A data folder below /tmp stays visible there: programs and the Instance's own folder lie in it.
      const kept = /^\/tmp\/([^/]+)/.exec(temporaryFolder)?.[1] ?? ''
      const first = ['/bin/sh', '-c', FIRST_PROCESS, 'slipway-first', temporaryFolder, kept]
      return { argv: ['unshare', ...ROOT_FLAGS, ...first, ...drop, ...argv], wrapperUid: undefined }
    }
    case 'user-namespace': {
      const first = ['/bin/sh', '-c', FIRST_PROCESS, 'slipway-first', '', '']
      return { argv: ['unshare', ...USER_FLAGS, ...first, ...argv], wrapperUid: hostUid }
    }
    case 'none':
    case 'process-group':
      return { argv, wrapperUid: hostUid }
    default:
      return { argv, wrapperUid: hostUid }
  }
}

/**
 * The environment of a wrapper that is root until it has given up its rights: nothing that makes root's own programs load or
 * become others. The isolated command gets the same.
 */
export function environmentForRoot(
  environment: Readonly<Record<string, string>>,
  hostPath: string,
): Readonly<Record<string, string>> {
  const harmless = Object.entries(environment).filter(
    ([name]) => !/^(?:LD_|GLIBC_|BASH_|ENV$|IFS$)/.test(name),
  )
  return { ...Object.fromEntries(harmless), PATH: hostPath }
}

/** Processes between the wrapper and the application. */
export function isolationDepth(mode: IsolationMode): number {
  return mode === 'pid-namespace' || mode === 'user-namespace' ? 2 : 0
}
