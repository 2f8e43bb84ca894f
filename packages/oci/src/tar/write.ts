import { BLOCK_BYTES } from './header.ts'

/*
 * Headers of layers: equal content gives equal bytes. Owner 0, no names of owners, modes 0644 or 0755, whole seconds; pax
 * records only where ustar's fields are too short, so that old readers read everything else.
 */
export type TarMember = {
  readonly path: string
  readonly kind: 'file' | 'folder' | 'symlink'
  readonly isExecutable: boolean
  readonly sizeBytes: number
  readonly mtimeSeconds: number
  /** Target of a symlink; empty otherwise. */
  readonly linkName: string
}

const NAME_MAX_BYTES = 100
const OCTAL_SIZE_MAX = 8 ** 11 - 1
const TYPES = { file: '0', symlink: '2', folder: '5' } as const

/** Two blocks of zeros. */
export const TAR_END: Uint8Array = new Uint8Array(2 * BLOCK_BYTES)

/** The header blocks of one member. */
export function tarHeader(member: TarMember): Buffer {
  const name = Buffer.from(member.kind === 'folder' ? `${member.path}/` : member.path)
  const linkName = Buffer.from(member.linkName)
  const records: Buffer[] = []
  if (name.length > NAME_MAX_BYTES) records.push(paxRecord('path', name))
  if (linkName.length > NAME_MAX_BYTES) records.push(paxRecord('linkpath', linkName))
  if (member.sizeBytes > OCTAL_SIZE_MAX)
    records.push(paxRecord('size', Buffer.from(String(member.sizeBytes))))
  const own = block({
    name,
    linkName,
    type: TYPES[member.kind],
    mode: member.kind === 'symlink' ? 0o777 : member.isExecutable || member.kind === 'folder' ? 0o755 : 0o644,
    sizeBytes: Math.min(member.sizeBytes, OCTAL_SIZE_MAX),
    mtimeSeconds: member.mtimeSeconds,
  })
  if (records.length === 0) return own
  const extension = Buffer.concat(records)
  const header = block({
    name: Buffer.from('PaxHeader'),
    linkName: Buffer.alloc(0),
    type: 'x',
    mode: 0o644,
    sizeBytes: extension.length,
    mtimeSeconds: member.mtimeSeconds,
  })
  return Buffer.concat([header, extension, tarPadding(extension.length), own])
}

/** Zeros up to the next full block. */
export function tarPadding(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES)
}

type Fields = {
  readonly name: Buffer
  readonly linkName: Buffer
  readonly type: string
  readonly mode: number
  readonly sizeBytes: number
  readonly mtimeSeconds: number
}

function block(fields: Fields): Buffer {
  const bytes = Buffer.alloc(BLOCK_BYTES)
  fields.name.copy(bytes, 0, 0, NAME_MAX_BYTES)
  const octal = (value: number, start: number, length: number): void =>
    void bytes.write(value.toString(8).padStart(length - 1, '0'), start, 'latin1')
  octal(fields.mode, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(fields.sizeBytes, 124, 12)
  octal(Math.max(0, Math.min(fields.mtimeSeconds, OCTAL_SIZE_MAX)), 136, 12)
  bytes.write('        ', 148, 'latin1')
  bytes.write(fields.type, 156, 'latin1')
  fields.linkName.copy(bytes, 157, 0, NAME_MAX_BYTES)
  bytes.write('ustar\x0000', 257, 'latin1')
  octal(0, 329, 8)
  octal(0, 337, 8)
  const sum = bytes.reduce((total, byte) => total + byte, 0)
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return bytes
}

/** `<length> <key>=<value>\n`, where the length counts itself. */
function paxRecord(key: string, value: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')])
  let lengthBytes = body.length
  while (String(lengthBytes).length + body.length !== lengthBytes)
    lengthBytes = String(lengthBytes).length + body.length
  return Buffer.concat([Buffer.from(String(lengthBytes)), body])
}
