import { z } from 'zod'

import type { S3Bucket } from '@slipway/oci'

/* Where blobs of Images lie: in the data folder, or in a bucket that every replica reaches. */
const LABEL = /^[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]$/u

export const blobFields = {
  /** `https://s3.eu-central-1.amazonaws.com`, without the bucket; without it blobs lie in the data folder. */
  s3Endpoint: z.url({ protocol: /^https?$/u }).optional(),
  s3Bucket: z.string().regex(LABEL, { message: 'the name of a bucket' }).optional(),
  s3Region: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/u)
    .default('us-east-1'),
  /** In front of every object's name, for a bucket that is shared with others. */
  s3Prefix: z
    .string()
    .regex(/^(?:[A-Za-z0-9._-]{1,60}\/){0,5}$/u, { message: 'folders that end in a slash, such as slipway/' })
    .default(''),
  /** `path`: the bucket stands in the path; `host`: in front of the host's name. */
  s3Addressing: z.enum(['path', 'host']).default('path'),
  s3AccessKey: z.string().min(1).max(256).optional(),
  s3SecretKey: z.string().min(1).max(1_024).optional(),
} as const

export const blobNames = {
  s3Endpoint: 'SLIPWAY_S3_ENDPOINT',
  s3Bucket: 'SLIPWAY_S3_BUCKET',
  s3Region: 'SLIPWAY_S3_REGION',
  s3Prefix: 'SLIPWAY_S3_PREFIX',
  s3Addressing: 'SLIPWAY_S3_ADDRESSING',
  s3AccessKey: 'SLIPWAY_S3_ACCESS_KEY',
  s3SecretKey: 'SLIPWAY_S3_SECRET_KEY',
} as const

/** Files that hold a setting's text. */
export const blobFiles = {
  s3AccessKey: 'SLIPWAY_S3_ACCESS_KEY_FILE',
  s3SecretKey: 'SLIPWAY_S3_SECRET_KEY_FILE',
} as const

type BlobSettings = z.output<z.ZodObject<typeof blobFields>>

const needed = ['s3Endpoint', 's3Bucket', 's3AccessKey', 's3SecretKey'] as const

/** What is not given although the rest is; a bucket takes all four. */
export function missingBlobSettings(settings: BlobSettings): readonly (keyof BlobSettings)[] {
  const missing = needed.filter((key) => settings[key] === undefined)
  return missing.length === needed.length ? [] : missing
}

/** The bucket of the settings; undefined when blobs lie in the data folder. */
export function bucketOf(settings: BlobSettings): S3Bucket | undefined {
  const { s3Endpoint, s3Bucket, s3AccessKey, s3SecretKey } = settings
  if (!s3Endpoint || !s3Bucket || !s3AccessKey || !s3SecretKey) return undefined
  return {
    endpoint: s3Endpoint,
    bucket: s3Bucket,
    region: settings.s3Region,
    prefix: settings.s3Prefix,
    addressing: settings.s3Addressing,
    credentials: { accessKey: s3AccessKey, secretKey: s3SecretKey },
  }
}
