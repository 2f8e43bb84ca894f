import { expect, test } from 'vitest'

import { signedHeaders } from './sign.ts'

/* The examples of the S3 API reference, "Authenticating Requests: Using the Authorization Header". */
const credentials = {
  accessKey: 'AKIAIOSFODNN7EXAMPLE',
  secretKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}
const HOST = 'https://examplebucket.s3.amazonaws.com'

type Case = readonly [
  what: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  payload: string,
  signature: string,
]
const cases: readonly Case[] = [
  [
    'an object in part',
    'GET',
    '/test.txt',
    { range: 'bytes=0-9' },
    '',
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  ],
  [
    'an object with a payload and a name that is encoded',
    'PUT',
    '/test%24file.text',
    { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
    'Welcome to Amazon S3.',
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  ],
  [
    'a parameter without a value',
    'GET',
    '/?lifecycle',
    {},
    '',
    'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  ],
  [
    'several parameters',
    'GET',
    '/?max-keys=2&prefix=J',
    {},
    '',
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  ],
]

test.each(cases)('signs %s as the reference does', (_, method, path, headers, payload, signature) => {
  const signed = signedHeaders(
    { method, url: new URL(path, HOST), headers, payload: Buffer.from(payload) },
    credentials,
    'us-east-1',
    new Date('2013-05-24T00:00:00Z'),
  )
  expect(signed['authorization']).toMatch(new RegExp(`Signature=${signature}$`, 'u'))
  expect(JSON.stringify(signed)).not.toContain(credentials.secretKey)
})
