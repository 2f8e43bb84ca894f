import { Readable } from 'node:stream'

import type { ByteStream } from '@slipway/oci'
import { pack } from 'tar-stream'

/** An archive of some files. */
export function tarOf(files: Readonly<Record<string, string>>): ByteStream {
  const archive = pack()
  for (const [name, content] of Object.entries(files)) archive.entry({ name }, content)
  archive.finalize()
  return Readable.from(archive)
}
