import { once } from 'node:events'
import { connect } from 'node:net'

import { isRecord, systemClock, waitFor } from '@slipway/kit'
import { testPlatform } from '@slipway/testkit'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'

import { canRunRealClusters } from '../../tools/kubernetes/availability.ts'
import { startClosedNetwork } from './closed-network.ts'

const WAIT = { timeoutMs: 90_000, everyMs: 200 }
const available =
  (await canRunRealClusters((line) => console.log(`agent: ${line}`))) && process.getuid?.() === 0

/** What the agent's pod would be given by the manifest. */
function podOf(manifest: string): { readonly program: string; readonly token: string } {
  const all = parseAllDocuments(manifest).map((one): unknown => one.toJS())
  const find = (kind: string): Record<string, unknown> => {
    const found = all.find(
      (one) => isRecord(one) && one['kind'] === kind && JSON.stringify(one).includes('slipway-agent'),
    )
    return isRecord(found) ? found : {}
  }
  const [data, secret] = [find('ConfigMap')['data'], find('Secret')['stringData']]
  return {
    program: isRecord(data) ? String(data['slipway-agent.mjs']) : '',
    token: isRecord(secret) ? String(secret['token']) : '',
  }
}

describe.runIf(available)('a Cluster in a closed network', () => {
  test('is reached through the one connection that its agent opens', async () => {
    await using platform = await testPlatform()
    const secret = await platform.becomeOperator()
    await using closed = await startClosedNetwork(Number(new URL(platform.url).port))
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
    const { program, token } = podOf(manifest)
    const state = async (): Promise<unknown> => {
      const { health } = (await platform.call('GET', `/v1/clusters/${cluster}`, { secret })).body
      return isRecord(health) ? health['state'] : undefined
    }
    const reaches = (wanted: string): Promise<boolean> =>
      waitFor(
        systemClock,
        `the Cluster to be ${wanted}`,
        async () => (await state()) === wanted || undefined,
        WAIT,
      )

    const first = await closed.startAgent(program, token)
    await reaches('ready')
    const nodes = await platform.call('GET', `/v1/clusters/${cluster}/nodes`, { secret })
    expect((nodes.body['items'] as readonly { readonly name: string }[]).map(({ name }) => name)).toEqual([
      'kwok-0',
      'kwok-1',
    ])

    first.process.kill('SIGKILL')
    await reaches('unknown')
    const second = await closed.startAgent(program, token)
    await reaches('ready')

    expect((await platform.call('DELETE', `/v1/clusters/${cluster}/agent-token`, { secret })).status).toBe(
      204,
    )
    await waitFor(
      systemClock,
      'the agent to be refused',
      () => second.lines().includes('"refused"') || undefined,
      WAIT,
    )
    expect(second.lines()).toContain('not or no longer valid')
    await reaches('unknown')
    // It does not knock again and again.
    expect(second.lines().split('"refused"').length).toBe(2)
  })
})
