import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

import { systemClock } from '@slipway/kit'
import { describe, expect, test } from 'vitest'

import { digestOf } from '../format/digest.ts'
import { s3Blobs } from './blobs.ts'

/* Stores that misbehave. They stand in for S3, which cannot be asked to. */
const SECRET = 'the-secret-of-the-account'
const ABSENT = digestOf('absent')

async function withStore(
  answer: RequestListener,
  run: (store: ReturnType<typeof s3Blobs>) => Promise<void>,
): Promise<void> {
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A server that listens by TCP has such an address.
  const { port } = server.address() as AddressInfo
  const bucket = {
    endpoint: `http://127.0.0.1:${port}`,
    bucket: 'images',
    region: 'eu-central-1',
    prefix: 'slipway/',
    addressing: 'path',
    credentials: { accessKey: 'account', secretKey: SECRET },
  } as const
  try {
    // Waiting between attempts is not what is tested here.
    const clock = { ...systemClock, sleep: async () => undefined }
    await run(s3Blobs({ bucket, clock, random: () => 0, timeoutMs: 300, attemptsMax: 3 }))
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

async function listed(store: ReturnType<typeof s3Blobs>): Promise<string[]> {
  const digests: string[] = []
  for await (const digest of store.list()) digests.push(digest)
  return digests
}

const errorBody = (code: string, more = ''): string =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no &amp; never</Message>${more}</Error>`

describe('a store that refuses', () => {
  const cases: readonly [what: string, status: number, body: string, expected: object][] = [
    ['a wrong key', 403, errorBody('SignatureDoesNotMatch'), { code: 'blob_store_login_refused' }],
    ['a page instead of a document', 403, '<html>no</html>', { code: 'blob_store_login_refused' }],
    ['a missing bucket', 404, errorBody('NoSuchBucket'), { code: 'blob_store_bucket_missing' }],
    [
      'a bucket elsewhere',
      301,
      errorBody('PermanentRedirect', '<Region>us-west-2</Region>'),
      {
        code: 'blob_store_region_wrong',
        params: { bucket: 'images', region: 'eu-central-1', right: 'us-west-2' },
      },
    ],
    [
      'a signature for another region',
      400,
      errorBody('AuthorizationHeaderMalformed', '<Region>us-west-2</Region>'),
      { code: 'blob_store_region_wrong' },
    ],
    ['a wrong clock', 403, errorBody('RequestTimeTooSkewed'), { code: 'blob_store_clock_wrong' }],
    ['a busy store', 503, errorBody('SlowDown'), { code: 'blob_store_unreachable', status: 503 }],
    [
      'anything else',
      409,
      errorBody('OperationAborted'),
      { code: 'blob_store_refused', params: { status: 409, said: 'OperationAborted: no & never' } },
    ],
    ['a redirect to somewhere', 302, '', { code: 'blob_store_refused' }],
  ]
  test.each(cases)('is told as %s, without the secret', async (_, status, body, expected) => {
    await withStore(
      (_request, response) => void response.writeHead(status, { location: 'http://127.0.0.1:9/' }).end(body),
      async (store) => {
        const refused = await listed(store).catch((thrown: unknown) => thrown)
        expect(refused).toMatchObject(expected)
        expect(JSON.stringify(refused)).not.toContain(SECRET)
      },
    )
  })

  test('is asked again while it is busy, and then serves', async () => {
    let asked = 0
    await withStore(
      (_request, response) => {
        asked += 1
        if (asked < 3) response.writeHead(503).end(errorBody('SlowDown'))
        else response.writeHead(200, { 'content-length': '7' }).end()
      },
      async (store) => expect(await store.findSize(ABSENT)).toBe(7),
    )
    expect(asked).toBe(3)
  })

  test('in the body of an answer that began well is heard', async () => {
    await withStore(
      (request, response) => {
        const isCopy = request.headers['x-amz-copy-source'] !== undefined
        response.writeHead(200).end(isCopy ? errorBody('InternalError') : '')
      },
      async (store) => {
        async function* content(): AsyncGenerator<Uint8Array> {
          yield Buffer.from('hello')
        }
        const id = 'upl_00000001'
        await store.append({ id, offsetBytes: 0, algorithm: 'sha256', content: content() })
        await expect(store.publish({ id, sizeBytes: 5, digest: digestOf('hello') })).rejects.toMatchObject({
          code: 'blob_store_unreachable',
        })
      },
    )
  })
})

describe('a store that falls silent', () => {
  test('before its answer is given up', async () => {
    await withStore(
      () => undefined,
      async (store) =>
        expect(store.findSize(ABSENT)).rejects.toMatchObject({
          code: 'blob_store_unreachable',
          params: { reason: 'no answer within 300 ms' },
        }),
    )
  })

  test('within a blob ends the reading', async () => {
    await withStore(
      (_request, response) => void response.writeHead(200, { 'content-length': '10' }).write('hello'),
      async (store) => {
        const stream = await store.open(ABSENT)
        await expect(new Response(stream).text()).rejects.toMatchObject({ code: 'blob_store_unreachable' })
      },
    )
  })

  test('by closing the connection is told as out of reach', async () => {
    await withStore(
      (request) => void request.socket.destroy(),
      async (store) =>
        expect(store.findSize(ABSENT)).rejects.toMatchObject({ code: 'blob_store_unreachable' }),
    )
  })
})

describe('a store that talks nonsense', () => {
  test('lists nothing by what is no listing', async () => {
    await withStore(
      (_request, response) => void response.writeHead(200).end('<a><Contents><Key>'),
      async (store) => expect(await listed(store)).toEqual([]),
    )
  })

  test('without end is cut off', async () => {
    await withStore(
      (_request, response) => {
        response.writeHead(200)
        const chunk = Buffer.alloc(1024 * 1024, 'x')
        const more = (): void => {
          while (!response.destroyed && response.write(chunk));
        }
        response.on('drain', more)
        more()
      },
      async (store) => expect(listed(store)).rejects.toMatchObject({ code: 'blob_store_unreachable' }),
    )
  })
})
