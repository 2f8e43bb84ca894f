import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'

import { must, systemClock } from '@slipway/kit'
import { buildImage, clientSink, registryClient } from '@slipway/oci'

import type { TestPlatform } from './platform.ts'

/** An Application with a Workload in one Environment, made through the API. */
export type TestWorkload = {
  readonly organizationId: string
  readonly projectId: string
  readonly applicationId: string
  readonly environmentId: string
  readonly workloadId: string
  /** `<project>/<application>` */
  readonly repository: string
}

let shops = 0

export async function makeWorkload(platform: TestPlatform, secret: string): Promise<TestWorkload> {
  shops += 1
  const slug = `shop-${shops}`
  const make = async (path: string, body: unknown): Promise<string> => {
    const answer = await platform.call('POST', path, { secret, body })
    return String(must(answer.body['id'], `POST ${path} answered ${JSON.stringify(answer.body)}`))
  }
  const organizationId = await make('/v1/organizations', { slug: `org-${shops}`, name: 'Shop' })
  const projectId = await make(`/v1/organizations/${organizationId}/projects`, {
    slug,
    name: 'Shop',
  })
  const environmentId = await make(`/v1/projects/${projectId}/environments`, { slug: 'test', name: 'Test' })
  const applicationId = await make(`/v1/projects/${projectId}/applications`, { slug: 'web' })
  const workloadId = await make(`/v1/applications/${applicationId}/workloads`, { environment: environmentId })
  return {
    organizationId,
    projectId,
    environmentId,
    applicationId,
    workloadId,
    repository: `${slug}/web`,
  }
}

/**
 * Appends a Node program to `host/node` and pushes it; no build runs.
 * @returns the digest
 */
export async function pushProgram(
  platform: Pick<TestPlatform, 'url'>,
  push: {
    readonly secret: string
    readonly repository: string
    readonly tag: string
    readonly program: string
  },
): Promise<string> {
  const spoolFolder = await mkdtemp(join(tmpdir(), 'slipway-push-'))
  const client = registryClient({
    baseUrl: platform.url,
    credentials: { username: 'test', password: push.secret },
    clock: systemClock,
  })
  try {
    const { digest } = await buildImage({
      archive: Readable.from([gzipSync(tarOf('server.js', push.program))]),
      layout: 'node',
      base: { kind: 'declared', name: 'host/node' },
      settings: { command: ['node', 'server.js'], ports: [8080] },
      sink: clientSink(client, push.repository),
      tags: [push.tag],
      spoolFolder,
      clock: systemClock,
    })
    return digest
  } finally {
    await rm(spoolFolder, { recursive: true, force: true })
  }
}

const BLOCK_BYTES = 512

/** A tar (ustar) of one file. */
function tarOf(name: string, text: string): Buffer {
  const content = Buffer.from(text)
  const header = Buffer.alloc(BLOCK_BYTES)
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`
  header.write(name, 0)
  header.write(octal(0o644, 7), 100)
  header.write(octal(0, 7), 108)
  header.write(octal(0, 7), 116)
  header.write(octal(content.length, 11), 124)
  header.write(octal(0, 11), 136)
  header.write(' '.repeat(8), 148)
  header.write('0ustar\x0000', 156)
  header.write(
    `${octal(
      header.reduce((sum, byte) => sum + byte, 0),
      6,
    )} `,
    148,
  )
  const padding = Buffer.alloc((BLOCK_BYTES - (content.length % BLOCK_BYTES)) % BLOCK_BYTES)
  return Buffer.concat([header, content, padding, Buffer.alloc(2 * BLOCK_BYTES)])
}
