/*
 * Names inside archives, decided on the text alone. The folder that an archive is unpacked to is modelled here, so that
 * no answer depends on what the disk holds and no link is ever followed on the disk.
 */
const NAME_MAX_BYTES = 255
const PATH_MAX_BYTES = 4_096
const LINKS_MAX = 40

export type CheckedPath =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly reason: string }

/** Normalizes `./a//b/` to `a/b`; the root itself is the empty path. */
export function checkEntryPath(name: string): CheckedPath {
  if (name === '') return { ok: false, reason: 'a name is empty' }
  if (name.startsWith('/')) return { ok: false, reason: 'a name is absolute' }
  if (Buffer.byteLength(name) > PATH_MAX_BYTES)
    return { ok: false, reason: `a path is longer than ${PATH_MAX_BYTES} bytes` }
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  for (const part of parts) {
    if (part === '..') return { ok: false, reason: 'a name leads out of its folder' }
    if (Buffer.byteLength(part) > NAME_MAX_BYTES)
      return { ok: false, reason: `a name is longer than ${NAME_MAX_BYTES} bytes` }
  }
  return { ok: true, path: parts.join('/') }
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '' : path.slice(0, slash)
}

export function baseNameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/**
 * Whether following the symlink at `path` would leave the root at any step, other links on the way included.
 * `linkAt` returns the target of the symlink at a path. A link to nothing stays inside; one that never ends counts as leaving.
 */
export function leavesRoot(path: string, linkAt: (path: string) => string | undefined): boolean {
  let place: string[] = []
  let rest = path.split('/')
  let followed = 0
  while (rest.length > 0) {
    const [part = '', ...more] = rest
    rest = more
    if (part === '' || part === '.') continue
    if (part === '..') {
      if (place.length === 0) return true
      place = place.slice(0, -1)
      continue
    }
    const target = linkAt([...place, part].join('/'))
    if (target === undefined) {
      place = [...place, part]
      continue
    }
    followed += 1
    if (target.startsWith('/') || followed > LINKS_MAX) return true
    rest = [...target.split('/'), ...rest]
  }
  return false
}
