/*
 * The forms of a git address that are taken: https, http, ssh (also as `git@host:path`) and a path on this machine. Everything
 * else that git itself would follow (transport helpers, `ext::`, the git protocol, options in disguise) is refused here, before
 * git sees it. What is passed on is written anew from the parts.
 */
export type GitUrl =
  | {
      readonly kind: 'https' | 'http'
      /** As git gets it. */
      readonly url: string
      readonly host: string
      readonly port: number
    }
  | {
      readonly kind: 'ssh'
      readonly url: string
      readonly host: string
      readonly port: number
      readonly user: string
    }
  | { readonly kind: 'file'; readonly path: string }

export type ParsedGitUrl =
  | { readonly ok: true; readonly value: GitUrl }
  | { readonly ok: false; readonly problem: string }

const LENGTH_MAX = 2_048
const USER = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/u
/** A name, or an IP address in brackets; nothing that begins like an option. */
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])$/u
const PORTS: Readonly<Record<'https' | 'http' | 'ssh', number>> = { https: 443, http: 80, ssh: 22 }

/** Parses a git address as people write it. Pure. */
export function parseGitUrl(text: string): ParsedGitUrl {
  if (text.length === 0 || text.length > LENGTH_MAX) return refuse('it is empty or too long')
  // Control characters and spaces could end one thing and begin another on the way to git.
  if (/[^\x21-\x7e\u0080-\uffff]/u.test(text) || text.includes('\\'))
    return refuse('it has a space, a backslash or a control character')
  if (text.startsWith('/')) return fileUrl(text)
  if (text.startsWith('-')) return refuse('it begins with a hyphen')
  if (text.includes('::'))
    return isBracketed(text) ? schemeUrl(text) : refuse('transport helpers are not used')
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\//u.test(text)) return schemeUrl(text)
  return scpUrl(text)
}

function refuse(problem: string): ParsedGitUrl {
  return { ok: false, problem }
}

/** `::` is fine inside the brackets of an IPv6 address. */
function isBracketed(text: string): boolean {
  return /^(?:https?|ssh):\/\/(?:[A-Za-z0-9._-]+@)?\[[0-9A-Fa-f:.]+\](?::[0-9]+)?\/[^:]*$/u.test(text)
}

function fileUrl(path: string): ParsedGitUrl {
  const parts = path.split('/')
  if (parts.includes('..') || parts.includes('.')) return refuse('the path has . or .. in it')
  return { ok: true, value: { kind: 'file', path: `/${parts.filter((part) => part !== '').join('/')}` } }
}

function schemeUrl(text: string): ParsedGitUrl {
  const scheme = (/^([A-Za-z][A-Za-z0-9+.-]*):/u.exec(text)?.[1] ?? '').toLowerCase()
  switch (scheme) {
    case 'https':
    case 'http':
      return webUrl(text, scheme)
    case 'ssh':
      return sshUrl(text)
    case 'file':
      return localUrl(text)
    default:
      return refuse(`${scheme}: is not used; https, http, ssh and paths are`)
  }
}

function localUrl(text: string): ParsedGitUrl {
  const path = /^file:\/\/(?:localhost)?(\/[^?#]*)$/iu.exec(text)?.[1]
  if (path === undefined) return refuse('file:// takes an absolute path and no host')
  try {
    return fileUrl(decodeURIComponent(path))
  } catch {
    // A stray % is what a person mistyped; that is all there is to say.
    return refuse('the path is not written as a URL')
  }
}

function webUrl(text: string, kind: 'https' | 'http'): ParsedGitUrl {
  const url = URL.parse(text)
  if (!url) return refuse('it is not a URL')
  if (url.username !== '' || url.password !== '')
    return refuse('it carries credentials; give them as credentials instead, where they are kept sealed')
  if (url.search !== '' || url.hash !== '') return refuse('it has a query or a fragment')
  if (!HOST.test(url.hostname)) return refuse('the host is not a host name')
  if (url.pathname.length < 2) return refuse('it names no repository')
  const port = url.port === '' ? PORTS[kind] : Number(url.port)
  if (port === 0) return refuse('the port is 0')
  return {
    ok: true,
    value: { kind, host: bare(url.hostname), port, url: `${kind}://${url.host}${url.pathname}` },
  }
}

function sshUrl(text: string): ParsedGitUrl {
  const match = /^ssh:\/\/(?:([^@/]*)@)?(\[[^\]/]*\]|[^:/[\]]*)(?::([0-9]{1,5}))?(\/[^?#]+)$/iu.exec(text)
  if (!match) return refuse('it is not an ssh URL such as ssh://git@host/group/repository.git')
  return sshParts({
    user: match[1] ?? 'git',
    host: match[2] ?? '',
    port: match[3] === undefined ? PORTS.ssh : Number(match[3]),
    path: match[4] ?? '',
  })
}

/** `git@host:group/repository.git` */
function scpUrl(text: string): ParsedGitUrl {
  const match = /^(?:([^@/:]+)@)?([^@/:]+):([^:]+)$/u.exec(text)
  if (!match) return refuse('it is neither a URL, nor user@host:path, nor an absolute path')
  const path = match[3] ?? ''
  if (path.startsWith('-')) return refuse('the path begins with a hyphen')
  return sshParts({
    user: match[1] ?? 'git',
    host: match[2] ?? '',
    port: PORTS.ssh,
    path: path.startsWith('/') ? path : `/${path}`,
  })
}

function sshParts(parts: {
  readonly user: string
  readonly host: string
  readonly port: number
  readonly path: string
}): ParsedGitUrl {
  if (parts.user.includes(':')) return refuse('it carries a password; give a key as credentials instead')
  if (!USER.test(parts.user)) return refuse('the user name is not one')
  if (!HOST.test(parts.host)) return refuse('the host is not a host name')
  if (parts.port === 0 || parts.port > 65_535) return refuse('the port is not one')
  // The same rules as for http, so that 0177.0.0.1 and the like are known for what they are.
  const written = URL.parse(`http://${parts.host}/`)?.hostname
  if (written === undefined || !HOST.test(written)) return refuse('the host is not a host name')
  const { user, port, path } = parts
  return {
    ok: true,
    value: { kind: 'ssh', user, host: bare(written), port, url: `ssh://${user}@${written}:${port}${path}` },
  }
}

function bare(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}
