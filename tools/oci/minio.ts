import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { systemClock, waitFor } from '@slipway/kit'
import type { S3Bucket } from '@slipway/oci'
import { createBucket } from '@slipway/oci/testing'

import { ensurePrograms, ToolsUnavailable, type Progress } from '../kubernetes/build.ts'

/* A real store that speaks S3, for tests: MinIO on a free port, with its data in a folder of its own. */
export type Minio = AsyncDisposable & {
  readonly pid: number
  /** The one bucket; with a prefix of the caller's choice it is a store of its own. */
  readonly bucketAt: (prefix: string) => S3Bucket
}

const BUCKET = 'slipway-test'
const START_MS = 60_000
const credentials = { accessKey: 'slipway-tests', secretKey: 'not-secret-on-loopback' }

/**
 * Builds it when it is not there; a text says why this machine cannot have it.
 * @throws {ToolsUnavailable} when CI is set: there nothing may be left out
 */
export async function findMinio(progress?: Progress): Promise<(() => Promise<Minio>) | string> {
  try {
    const { minio: program } = await ensurePrograms(['minio'], progress)
    return () => startMinio(program)
  } catch (thrown) {
    if (!(thrown instanceof ToolsUnavailable) || process.env['CI'] === 'true') throw thrown
    return thrown.message
  }
}

async function startMinio(program: string): Promise<Minio> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-minio-'))
  const port = await freePort()
  const child = spawn(program, ['server', join(folder, 'data'), '--address', `127.0.0.1:${port}`], {
    stdio: 'ignore',
    env: {
      HOME: folder,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
      MINIO_SITE_REGION: 'us-east-1',
      MINIO_ROOT_USER: credentials.accessKey,
      MINIO_ROOT_PASSWORD: credentials.secretKey,
    },
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const endpoint = `http://127.0.0.1:${port}`
  const place = { endpoint, bucket: BUCKET, region: 'us-east-1', addressing: 'path', credentials } as const
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const isReady = (): Promise<boolean> =>
      fetch(`${endpoint}/minio/health/ready`).then(
        ({ ok }) => ok,
        () => false,
      )
    await waitFor(systemClock, 'MinIO to answer', isReady, { timeoutMs: START_MS })
    await createBucket({ ...place, prefix: '' })
  } catch (thrown) {
    await stop()
    throw thrown
  }
  return {
    pid: child.pid ?? 0,
    bucketAt: (prefix) => ({ ...place, prefix }),
    [Symbol.asyncDispose]: stop,
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A server that listens by TCP has such an address.
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
