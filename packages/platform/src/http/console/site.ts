import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'

import { systemCodeOf } from '@slipway/kit'

/** A file as it is sent; `packed` holds the same content by content encoding. */
export type SiteFile = {
  readonly contentType: string
  readonly content: Buffer<ArrayBuffer>
  readonly packed: Readonly<Partial<Record<Encoding, Buffer<ArrayBuffer>>>>
}
export type Encoding = 'br' | 'gzip'

/** A built console in memory. */
export type Site = {
  /** The page, with a nonce in its places. */
  readonly page: (nonce: string) => string
  /** The page in the frame of a terminal. */
  readonly terminal: string
  /** By path below the folder; nothing else can be asked for. */
  readonly files: ReadonlyMap<string, SiteFile>
}

/** `missing`: not built yet. `failed`: why it cannot be built. */
export type SiteState =
  | { readonly kind: 'ready'; readonly site: Site }
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly problem: string }

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
}
const SUFFIXES: Readonly<Record<Encoding, string>> = { br: '.br', gzip: '.gz' }
/** What the bundler wrote where a nonce belongs. */
const NONCE_PLACE = '__NONCE__'
const PROBLEM_LENGTH_MAX = 2_000

/** Reads a built console, once it is there. */
export async function readSite(folder: string): Promise<SiteState> {
  try {
    const names = await readdir(folder, { recursive: true })
    const template = await readFile(join(folder, 'index.html'), 'utf8')
    const terminal = await readFile(join(folder, 'terminal.html'), 'utf8')
    const files = new Map<string, SiteFile>()
    for (const name of names) {
      const contentType = TYPES[extname(name)]
      if (contentType !== undefined) files.set(name, await readSiteFile(folder, name, contentType, names))
    }
    return {
      kind: 'ready',
      site: { page: (nonce) => template.replaceAll(NONCE_PLACE, nonce), terminal, files },
    }
  } catch (thrown) {
    if (systemCodeOf(thrown) !== 'ENOENT') throw thrown
    const problem = await readFile(`${folder}.failed`, 'utf8').catch(() => undefined)
    return problem === undefined
      ? { kind: 'missing' }
      : { kind: 'failed', problem: problem.slice(0, PROBLEM_LENGTH_MAX) }
  }
}

async function readSiteFile(
  folder: string,
  name: string,
  contentType: string,
  names: readonly string[],
): Promise<SiteFile> {
  const packed: Partial<Record<Encoding, Buffer<ArrayBuffer>>> = {}
  for (const encoding of ['br', 'gzip'] as const) {
    const other = name + SUFFIXES[encoding]
    if (names.includes(other)) packed[encoding] = await readFile(join(folder, other))
  }
  return { contentType, content: await readFile(join(folder, name)), packed }
}

/** The best encoding that a reader accepts and a file has. Pure. */
export function encodingFor(file: SiteFile, acceptEncoding: string): Encoding | undefined {
  const accepted = new Set(
    acceptEncoding
      .toLowerCase()
      .split(',')
      .map((part) => part.split(';').map((word) => word.trim()))
      .filter(([, quality]) => quality === undefined || !/^q=0(\.0*)?$/u.test(quality))
      .map(([name]) => name),
  )
  return (['br', 'gzip'] as const).find(
    (encoding) => accepted.has(encoding) && file.packed[encoding] !== undefined,
  )
}
