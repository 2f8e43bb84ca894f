import { expect, test } from 'vitest'

import { isForPrograms } from './index.ts'
import { encodingFor, type SiteFile } from './site.ts'

const content = Buffer.from('x')
const both: SiteFile = { contentType: 'text/css', content, packed: { br: content, gzip: content } }
const onlyGzip: SiteFile = { contentType: 'text/css', content, packed: { gzip: content } }
const plain: SiteFile = { contentType: 'text/css', content, packed: {} }

const encodings: [when: string, file: SiteFile, accepted: string, encoding: string | undefined][] = [
  ['the better one of two', both, 'gzip, deflate, br, zstd', 'br'],
  ['what the reader knows', both, 'gzip', 'gzip'],
  ['what the file has', onlyGzip, 'br, gzip', 'gzip'],
  ['nothing when the reader says nothing', both, '', undefined],
  ['nothing when the file has nothing', plain, 'br, gzip', undefined],
  ['not what the reader refuses', both, 'br;q=0, gzip;q=0.5', 'gzip'],
  ['not what the reader refuses in more digits', both, 'br; q=0.00, gzip', 'gzip'],
]
test.each(encodings)('a file is packed as %s', (_, file, accepted, encoding) =>
  expect(encodingFor(file, accepted)).toBe(encoding),
)

const paths: [path: string, isForPrograms: boolean][] = [
  ['/', false],
  ['/releases/rel_1', false],
  ['/v1', true],
  ['/v1/releases', true],
  ['/v2/', true],
  ['/docs', true],
  ['/docs?x=1', true],
  ['/console/assets/a.js', true],
  ['/v1x', false],
  ['/documents', false],
]
test.each(paths)('%s belongs to programs: %s', (path, expected) => expect(isForPrograms(path)).toBe(expected))
