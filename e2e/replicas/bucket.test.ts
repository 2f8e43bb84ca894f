import { systemClock, systemRandom } from '@slipway/kit'
import { s3Blobs, type S3Bucket } from '@slipway/oci'
import { describeBlobStore } from '@slipway/oci/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { findMinio, type Minio } from '../../tools/oci/minio.ts'

/* Blobs in a real store that speaks S3. */
const found = await findMinio((line) => process.stderr.write(`${line}\n`))
const missing = typeof found === 'string' ? found : undefined
if (missing !== undefined) console.warn(`not run: ${missing}`)

describe.skipIf(missing !== undefined)('MinIO', () => {
  let minio: Minio
  let places = 0
  const freshBucket = (): S3Bucket => {
    places += 1
    return minio.bucketAt(`place ${places}/`)
  }
  const storeIn = (bucket: S3Bucket) =>
    s3Blobs({ bucket, clock: systemClock, random: systemRandom, attemptsMax: 2 })

  beforeAll(async () => {
    minio = await (found as () => Promise<Minio>)()
  })
  afterAll(async () => {
    await minio[Symbol.asyncDispose]()
  })

  describeBlobStore('in a bucket', async () => ({ bucket: freshBucket() }))

  test('a store that may do everything passes the check and keeps nothing of it', async () => {
    const store = storeIn(freshBucket())
    await store.check()
    await store.check()
    expect(await store.sweep(new Date(systemClock.now().getTime() + 3_600_000))).toBe(0)
  })

  const trouble: readonly [what: string, change: (bucket: S3Bucket) => S3Bucket, code: string][] = [
    [
      'a wrong secret',
      (bucket) => ({ ...bucket, credentials: { ...bucket.credentials, secretKey: 'wrong' } }),
      'blob_store_login_refused',
    ],
    [
      'an unknown account',
      (bucket) => ({ ...bucket, credentials: { ...bucket.credentials, accessKey: 'nobody' } }),
      'blob_store_login_refused',
    ],
    ['a wrong region', (bucket) => ({ ...bucket, region: 'eu-central-1' }), 'blob_store_region_wrong'],
    [
      'a bucket that is not there',
      (bucket) => ({ ...bucket, bucket: 'no-such' }),
      'blob_store_bucket_missing',
    ],
    [
      'a port where nobody listens',
      (bucket) => ({ ...bucket, endpoint: 'http://127.0.0.1:9' }),
      'blob_store_unreachable',
    ],
  ]
  test.each(trouble)('%s is named as what it is, without the secret', async (_, change, code) => {
    const bucket = change(freshBucket())
    const refused = await storeIn(bucket)
      .check()
      .catch((thrown: unknown) => thrown)
    expect(refused).toMatchObject({ code })
    expect(JSON.stringify(refused)).not.toContain(bucket.credentials.secretKey)
  })
})
