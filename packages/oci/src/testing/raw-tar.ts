/** One entry of a tar archive made by hand, for archives that no honest program writes. */
export type RawEntry = {
  readonly name: string | Uint8Array
  /** Type flag; `0` by default. */
  readonly type?: string
  readonly mode?: number
  readonly content?: string | Uint8Array
  /** What the header announces; the content's length by default. */
  readonly sizeBytes?: number
  /** Written into the size field as it is. */
  readonly sizeField?: Uint8Array
  readonly linkName?: string
  readonly magic?: string
  readonly breakChecksum?: boolean
  readonly mtimeSeconds?: number
  readonly withoutPadding?: boolean
}

/** A tar of `entries`, with its end mark unless `end` is false. */
export function rawTar(entries: readonly RawEntry[], end = true): Buffer {
  return Buffer.concat([...entries.map(rawEntry), end ? Buffer.alloc(1024) : Buffer.alloc(0)])
}

function rawEntry(entry: RawEntry): Buffer {
  const content = Buffer.from(entry.content ?? '')
  const block = Buffer.alloc(512)
  Buffer.from(entry.name).copy(block, 0, 0, 100)
  const octal = (value: number, start: number, length: number): void =>
    void block.write(value.toString(8).padStart(length - 1, '0'), start, 'latin1')
  octal(entry.mode ?? 0o644, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(entry.sizeBytes ?? content.length, 124, 12)
  if (entry.sizeField) Buffer.from(entry.sizeField).copy(block, 124, 0, 12)
  octal(entry.mtimeSeconds ?? 1_700_000_000, 136, 12)
  block.write(entry.type ?? '0', 156, 'latin1')
  block.write(entry.linkName ?? '', 157, 'utf8')
  block.write(entry.magic ?? 'ustar\x0000', 257, 'latin1')
  block.write('        ', 148, 'latin1')
  const sum = block.reduce((total, byte) => total + byte, 0) + (entry.breakChecksum === true ? 1 : 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  const padding = entry.withoutPadding === true ? 0 : (512 - (content.length % 512)) % 512
  return Buffer.concat([block, content, Buffer.alloc(padding)])
}

/** A pax header (`x` for the next entry, `g` for all) with these records. */
export function paxEntry(records: Readonly<Record<string, string>>, type = 'x'): RawEntry {
  const content = Object.entries(records)
    .map(([key, value]) => {
      const body = ` ${key}=${value}\n`
      let length = Buffer.byteLength(body)
      while (String(length).length + Buffer.byteLength(body) !== length)
        length = String(length).length + Buffer.byteLength(body)
      return `${length}${body}`
    })
    .join('')
  return { name: 'PaxHeader', type, content }
}

export async function* inPieces(bytes: Uint8Array, sizeBytes = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += sizeBytes) yield bytes.subarray(start, start + sizeBytes)
}
