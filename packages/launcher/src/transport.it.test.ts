import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { DAY_MS, manualClock, waitFor, systemClock } from '@slipway/kit'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { hostsOf, settleTransport, watchTransport, type TransportInput } from './transport.ts'

const now = new Date('2026-03-01T00:00:00Z')
let folder = ''
let input: TransportInput
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-transport-'))
  input = {
    choice: { kind: 'made' },
    keysFolder: folder,
    publicUrl: 'https://slipway.example:7447',
    listen: '10.0.0.5',
    folder,
    now,
  }
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const certificate = async (path: string): Promise<X509Certificate> =>
  new X509Certificate(await readFile(path))

test('an authority is made once, and a certificate of it for every name of the platform', async () => {
  const made = await settleTransport(input)
  const [server, authority] = [
    await certificate(made?.certificate ?? ''),
    await certificate(made?.authority ?? ''),
  ]
  expect(server.verify(authority.publicKey)).toBe(true)
  expect(server.checkIssued(authority)).toBe(true)
  expect(server.checkHost('slipway.example')).toBe('slipway.example')
  expect(server.checkIP('10.0.0.5')).toBe('10.0.0.5')
  expect(made?.fingerprint).toBe(authority.fingerprint256)
  expect(((await stat(made?.key ?? '')).mode & 0o777).toString(8)).toBe('600')
  const again = await settleTransport({ ...input, now: new Date(now.getTime() + 100 * DAY_MS) })
  expect(again).toEqual(made)
})

test('another name or a near end makes a new certificate by the same authority', async () => {
  const made = await settleTransport(input)
  const before = await certificate(made?.certificate ?? '')
  const moved = await settleTransport({ ...input, publicUrl: 'https://other.example' })
  const renamed = await certificate(moved?.certificate ?? '')
  expect(renamed.serialNumber).not.toBe(before.serialNumber)
  expect(renamed.checkHost('other.example')).toBe('other.example')
  expect(moved?.fingerprint).toBe(made?.fingerprint)
  const later = await settleTransport({ ...input, now: new Date(now.getTime() + 350 * DAY_MS) })
  expect(later?.validUntil.getTime()).toBeGreaterThan(now.getTime() + 700 * DAY_MS)
})

test('a platform that runs for a year gets its next certificate in time', async () => {
  const made = await settleTransport(input)
  const clock = manualClock(now)
  const errors: unknown[] = []
  using _watching = watchTransport(input, { clock, onError: (thrown) => errors.push(thrown) })
  await clock.advance(340 * DAY_MS)
  await waitFor(
    systemClock,
    'a new certificate',
    async () => {
      // One look may still be under way when the next is due, and stands for both.
      await clock.advance(DAY_MS)
      const { validToDate } = await certificate(made?.certificate ?? '')
      return validToDate > (made?.validUntil ?? now) || undefined
    },
    { timeoutMs: 20_000 },
  )
  expect(errors).toEqual([])
})

test('a given certificate is used as it is, and one that is none is refused', async () => {
  const made = await settleTransport(input)
  const given = { kind: 'given', certificate: 'server.pem', key: 'server.pem', authority: undefined } as const
  expect(await settleTransport({ ...input, choice: given })).toEqual({
    ...made,
    authority: undefined,
    fingerprint: undefined,
  })
  await writeFile(join(folder, 'bad.crt'), 'nonsense')
  for (const name of ['bad.crt', 'absent.crt'])
    await expect(
      settleTransport({ ...input, choice: { ...given, certificate: name } }),
    ).rejects.toMatchObject({ code: 'certificate_unusable', params: { path: join(folder, name) } })
})

test('plain HTTP needs nothing', async () => {
  expect(await settleTransport({ ...input, choice: { kind: 'none' } })).toBeUndefined()
})

test('addresses that stand for all are no names', () => {
  expect(hostsOf({ publicUrl: 'https://[fd00::1]:7447', listen: '0.0.0.0' })).toEqual([
    'fd00::1',
    'localhost',
    '127.0.0.1',
  ])
})
