/* Every way out of the platform, and that each passes the guard. A new one is named here first. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { systemClock, waitFor } from '@slipway/kit'
import { freePort } from '@slipway/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { kubeconfigOf, startWorld, type World } from '../hardening/world.helper.ts'

/** What can open a connection or start a program that does. */
const IMPORTS =
  /^import (?!type )\{([^}]*)\} from '(?:node:(?:net|tls|https?|http2|dgram|dns(?:\/promises)?|child_process)|undici)'/gmu
const CALLS = /\bfetch\(|new WebSocket\(|\bkubeClient\(/u
/** Of these modules, what only looks at addresses. */
const HARMLESS = /^(?:type .*|BlockList|isIP|isIPv4|isIPv6)?$/u

function canConnect(text: string): boolean {
  const names = [...text.matchAll(IMPORTS)].flatMap(([, list = '']) => list.split(','))
  return CALLS.test(text) || names.some((name) => !HARMLESS.test(name.trim()))
}

/** Files with such a thing, and where it leads. */
const ways: Readonly<Record<string, string>> = {
  'http/tls/accept.ts': 'nowhere: connections that come in',
  'http/tls/certificate.ts': 'nowhere: reads certificates',
  'modules/build/job.ts': 'runs in the Job of a build, not in the platform',
  'modules/build/static-server.ts': 'runs in an Instance, not in the platform',
  'modules/fleet/agents.ts': 'no address: into the tunnel that an agent opened',
  'modules/fleet/credential.ts': 'Clusters: every connection asks the guard',
  'modules/fleet/gateway.ts': 'Gateways of Clusters, by the agent of outbound/connect.ts',
  'modules/source/git.ts':
    'git and ssh, told which address to take by remote.ts, which asks the guard; follows no redirect',
  'outbound/connect.ts': 'asks the guard for every connection',
  'outbound/guard.ts': 'asks the name server: the guard itself',
  'sample/git.ts': 'git on folders of the sample',
}

async function filesBelow(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true })
  return names.filter((name) => name.endsWith('.ts') && !/\.(?:test|helper)\.ts$|testing/u.test(name))
}

test('whatever can open a connection is on the list, and the list has nothing else', async () => {
  const source = join(import.meta.dirname, '..')
  const found: string[] = []
  for (const name of await filesBelow(source))
    if (canConnect(await readFile(join(source, name), 'utf8'))) found.push(name)
  expect(found.toSorted()).toEqual(Object.keys(ways))
})

describe('an address that nobody may make the platform connect to', () => {
  /** Listens beyond loopback, so that private addresses need an allowance; one port is allowed. */
  let world: World
  let allowedPort: number

  beforeAll(async () => {
    allowedPort = await freePort()
    world = await startWorld({
      settings: {
        host: '0.0.0.0',
        allowPlainHttp: 'true',
        outboundAllow: `127.0.0.1/32:${allowedPort}`,
      },
    })
  })
  afterAll(() => world[Symbol.asyncDispose]())

  const places: [host: string, code: string][] = [
    ['169.254.169.254', 'outbound_forbidden'],
    ['[::ffff:169.254.169.254]', 'outbound_forbidden'],
    ['100.100.100.200', 'outbound_forbidden'],
    ['127.0.0.1', 'outbound_private'],
    ['10.0.0.1', 'outbound_private'],
    ['localhost', 'outbound_private'],
  ]
  const ask = (method: string, path: string, body: object) =>
    world.platform.call(method, path, { secret: world.operator, body })

  test.each(places)('%s: no Cluster is registered there', async (host, code) => {
    const kubeconfig = kubeconfigOf('token', `https://${host}:6443`)
    const answer = await ask('POST', '/v1/clusters', { slug: 'there', kubeconfig })
    expect([answer.status, answer.body['error']]).toEqual([422, expect.objectContaining({ code })])
    const again = await ask('PATCH', `/v1/clusters/${world.ids['cluster'] ?? ''}`, { kubeconfig })
    expect(again.body['error']).toMatchObject({ code })
  })

  test.each(places)('%s: no source is taken from there, by https or ssh', async (host, code) => {
    for (const url of [`https://${host}/a/b.git`, `ssh://git@${host}/a/b.git`]) {
      const path = `/v1/applications/${world.ids['application'] ?? ''}/source`
      expect((await ask('PUT', path, { url })).body['error']).toMatchObject({ code })
    }
  })

  test('what is allowed by address and port is tried', async () => {
    const kubeconfig = kubeconfigOf('token', `https://127.0.0.1:${allowedPort}`)
    const answer = await ask('POST', '/v1/clusters', { slug: 'there', kubeconfig })
    expect(answer.body['error']).toMatchObject({ code: 'cluster_unreachable' })
  })

  test('a Cluster that stands in the database already is not asked, and says why', async () => {
    const path = `/v1/clusters/${world.ids['cluster'] ?? ''}`
    const says = async (): Promise<boolean> => {
      const { body } = await world.platform.call('GET', path, { secret: world.operator })
      return JSON.stringify(body['health']).includes('127.0.0.1 is a private address')
    }
    const deadline = { timeoutMs: 60_000, everyMs: 200 }
    expect(await waitFor(systemClock, 'the Cluster to say why', says, deadline)).toBe(true)
  })
})
