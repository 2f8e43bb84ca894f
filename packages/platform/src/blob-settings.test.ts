import { expect, test } from 'vitest'

import { bucketOf } from './blob-settings.ts'
import { readSettings } from './settings.ts'

const SECRET = 'the-secret-of-the-account'
const base = {
  DATABASE_URL: 'postgres://localhost/slipway',
  DATABASE_OWNER_URL: 'postgres://localhost/slipway',
  SLIPWAY_MASTER_KEY: 'A'.repeat(43),
  SLIPWAY_DATA: '/data',
}
const bucket = {
  SLIPWAY_S3_ENDPOINT: 'https://s3.example.com',
  SLIPWAY_S3_BUCKET: 'images',
  SLIPWAY_S3_ACCESS_KEY: 'account',
  SLIPWAY_S3_SECRET_KEY: SECRET,
}
const read = (more: Readonly<Record<string, string>>) =>
  readSettings({ ...base, ...more }, async (path) => `content of ${path}\n`)

test('without an endpoint blobs lie in the data folder', async () => {
  expect(bucketOf(await read({}))).toBeUndefined()
})

test('a bucket needs an endpoint, a name and an account; the rest has a default', async () => {
  expect(bucketOf(await read(bucket))).toEqual({
    endpoint: 'https://s3.example.com',
    bucket: 'images',
    region: 'us-east-1',
    prefix: '',
    addressing: 'path',
    credentials: { accessKey: 'account', secretKey: SECRET },
  })
})

test('the secret may stand in a file', async () => {
  const { SLIPWAY_S3_SECRET_KEY: _, ...rest } = bucket
  const settings = await read({ ...rest, SLIPWAY_S3_SECRET_KEY_FILE: '/run/secrets/s3' })
  expect(bucketOf(settings)?.credentials.secretKey).toBe('content of /run/secrets/s3')
})

const wrong: readonly [what: string, change: Readonly<Record<string, string>>, named: string][] = [
  ['half an account', { SLIPWAY_S3_ACCESS_KEY: 'account' }, 'SLIPWAY_S3_SECRET_KEY'],
  ['an endpoint alone', { SLIPWAY_S3_ENDPOINT: 'https://s3.example.com' }, 'SLIPWAY_S3_BUCKET'],
  ['an endpoint that is none', { ...bucket, SLIPWAY_S3_ENDPOINT: 's3.example.com' }, 'SLIPWAY_S3_ENDPOINT'],
  ['a bucket that is a path', { ...bucket, SLIPWAY_S3_BUCKET: 'a/../b' }, 'SLIPWAY_S3_BUCKET'],
  ['a prefix without its slash', { ...bucket, SLIPWAY_S3_PREFIX: 'slipway' }, 'SLIPWAY_S3_PREFIX'],
  ['a way of addressing that is none', { ...bucket, SLIPWAY_S3_ADDRESSING: 'dns' }, 'SLIPWAY_S3_ADDRESSING'],
]
test.each(wrong)('%s is refused by name, and no value is shown', async (_, change, named) => {
  const refused = await read(change).catch((thrown: Error) => thrown.message)
  expect(refused).toContain(named)
  expect(refused).not.toContain(SECRET)
})
