/*
 * A real control plane in a closed network, without the containers that `e2e/real` has: what the platform does about tokens and
 * connections of agents. Its agent is a process that has what its pod would have.
 */
import { once } from 'node:events'
import { connect } from 'node:net'

import { isRecord, systemClock, waitFor } from '@slipway/kit'
import { testPlatform } from '@slipway/testkit'
import { describe, expect, test } from 'vitest'

import { canRunRealClusters } from '../../tools/kubernetes/availability.ts'
import { startAgent } from './agent-process.ts'
import { startClosedNetwork } from './closed-network.ts'

const WAIT = { timeoutMs: 90_000, everyMs: 200 }
const available =
  (await canRunRealClusters((line) => console.log(`agent: ${line}`))) && process.getuid?.() === 0

describe.runIf(available)('a Cluster in a closed network', () => {
  test('is reached through the one connection that its agent opens', async () => {
    await using platform = await testPlatform()
    const secret = await platform.becomeOperator()
    const address = { address: '127.0.0.1', port: Number(new URL(platform.url).port) }
    await using closed = await startClosedNetwork({ platform: address, nodes: 0 })
    // No device but its loopback, and nobody answers out here at the address of its API server.
    expect(closed.devices.map(({ ifname }) => ifname)).toEqual(['lo'])
    const { hostname, port } = new URL(closed.apiUrl)
    const [refused] = (await once(connect(Number(port), hostname), 'error')) as [NodeJS.ErrnoException]
    expect(refused.code).toBe('ECONNREFUSED')

    const made = await platform.call('POST', '/v1/agents', { secret, body: { slug: 'closed' } })
    expect(made.status).toBe(201)
    const manifest = String(made.body['manifest'])
    const { id: cluster } = made.body['cluster'] as { readonly id: string }
    await closed.kubectl(['apply', '--server-side', '-f', '-'], manifest)
    const accountToken = (await closed.kubectl(['create', 'token', 'slipway', '-n', 'slipway-system'])).trim()
    const { apiUrl, certificateAuthority, command } = closed
    const platformUrl = `http://127.0.0.1:${address.port}`
    const place = { apiUrl, certificateAuthority, command, accountToken, platformUrl }
    const state = async (): Promise<unknown> => {
      const { health } = (await platform.call('GET', `/v1/clusters/${cluster}`, { secret })).body
      return isRecord(health) ? health['state'] : undefined
    }
    const until = (what: string, isThere: () => Promise<boolean>): Promise<unknown> =>
      waitFor(systemClock, what, async () => (await isThere()) || undefined, WAIT)
    const reaches = (wanted: string): Promise<unknown> =>
      until(`the Cluster to be ${wanted}`, async () => (await state()) === wanted)

    await using first = await startAgent(manifest, place)
    await reaches('ready')
    const nodes = await platform.call('GET', `/v1/clusters/${cluster}/nodes`, { secret })
    expect((nodes.body['items'] as readonly { readonly name: string }[]).map(({ name }) => name)).toEqual([
      'kwok-0',
      'kwok-1',
    ])

    await first.kill()
    await reaches('unknown')
    await using second = await startAgent(manifest, place)
    await reaches('ready')

    const token = `/v1/clusters/${cluster}/agent-token`
    expect((await platform.call('DELETE', token, { secret })).status).toBe(204)
    await until('the agent to be refused', async () => second.lines().includes('"refused"'))
    expect(second.lines()).toContain('not or no longer valid')
    await reaches('unknown')
    // It does not knock again and again.
    expect(second.lines().split('"refused"').length).toBe(2)

    const renewed = await platform.call('POST', token, { secret, body: {} })
    await using third = await startAgent(String(renewed.body['manifest']), place)
    await reaches('ready')
    expect((await platform.call('DELETE', `/v1/clusters/${cluster}`, { secret })).status).toBe(204)
    await until('the agent to be refused', async () => third.lines().includes('"refused"'))
    const marks = await closed.kubectl(['get', 'configmap', '-n', 'slipway-system', '-o', 'name'])
    expect(marks).not.toContain('slipway-owner')
  })
})
