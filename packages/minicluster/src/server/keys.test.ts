import { X509Certificate } from 'node:crypto'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { DAY_MS } from '@slipway/kit'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { openKeys } from './keys.ts'

const NOW = new Date('2026-01-01T00:00:00Z')
let dataFolder = ''
beforeEach(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'slipway-keys-'))
})
afterEach(() => rm(dataFolder, { recursive: true }))

test('the authority lasts ten years and signs a certificate for loopback', async () => {
  const keys = await openKeys(dataFolder, NOW)
  const ca = new X509Certificate(keys.caPem)
  const { cert } = await keys.serving(NOW)
  const serving = new X509Certificate(cert)
  expect(ca.ca).toBe(true)
  expect(ca.verify(ca.publicKey)).toBe(true)
  expect(Math.round((ca.validToDate.getTime() - NOW.getTime()) / DAY_MS)).toBe(3650)
  expect(serving.verify(ca.publicKey)).toBe(true)
  expect(serving.checkIssued(ca)).toBe(true)
  expect(serving.checkIP('127.0.0.1')).toBe('127.0.0.1')
  expect(serving.checkHost('localhost')).toBe('localhost')
  expect(serving.checkHost('example.org')).toBeUndefined()
  expect(ca.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1')
})

test('everything is kept, for the owner alone', async () => {
  const first = await openKeys(dataFolder, NOW)
  const { cert } = await first.serving(NOW)
  const second = await openKeys(dataFolder, NOW)
  expect(second.caPem).toBe(first.caPem)
  expect(second.adminToken).toBe(first.adminToken)
  expect((await second.serving(NOW)).cert).toBe(cert)
  for (const name of await readdir(join(dataFolder, 'pki')))
    expect((await stat(join(dataFolder, 'pki', name))).mode & 0o777, name).toBe(0o600)
})

test.each<[number, boolean]>([
  [274, false],
  [276, true],
])('after %i days the certificate is renewed: %s', async (days, renewed) => {
  const keys = await openKeys(dataFolder, NOW)
  const before = await keys.serving(NOW)
  const after = await keys.serving(new Date(NOW.getTime() + days * DAY_MS))
  expect(after.cert !== before.cert).toBe(renewed)
})
