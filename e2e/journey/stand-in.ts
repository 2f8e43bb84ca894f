/*
 * A probe responder that stands in for gateway and Instances where nothing really runs: pods of kwok only say that they are
 * Ready. It confirms every route as a gateway does and answers every request with 200; it says nothing about traffic.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { systemClock } from '@slipway/kit'
import { eachObject, type Kube, KubeError, type Live } from '@slipway/kube'

const CONTROLLER = 'slipway.test/stand-in'
const LOOK_MS = 100

/** Makes the shared Gateway that points at the responder, and confirms routes until it is disposed of. */
export async function standInForGateway(kube: Kube): Promise<AsyncDisposable> {
  const server = createServer((_, response) => response.end('stand-in'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A server that listens on TCP has such an address.
  await makeGateway(kube, (server.address() as AddressInfo).port)
  const stopping = new AbortController()
  const loop = confirmRoutes(kube, stopping.signal)
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort(new Error('the test ends'))
      await loop
      server.closeAllConnections()
      server.close()
    },
  }
}

async function makeGateway(kube: Kube, port: number): Promise<void> {
  const metadata = { name: 'default', namespace: 'slipway-system' }
  await kube.create('namespaces', { metadata: { name: metadata.namespace } })
  await kube.create('gatewayclasses', {
    metadata: { name: 'stand-in' },
    spec: { controllerName: CONTROLLER },
  })
  await kube.create('gateways', {
    metadata,
    spec: {
      gatewayClassName: 'stand-in',
      listeners: [{ name: 'http', port, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } }],
    },
  })
  const status = { addresses: [{ type: 'IPAddress', value: '127.0.0.1' }] }
  await kube.patch('gateways', metadata, { type: 'merge', body: { status } }, { subresource: 'status' })
}

async function confirmRoutes(kube: Kube, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for await (const route of eachObject(kube, 'httproutes')) await confirm(kube, route)
    await systemClock.sleep(LOOK_MS, signal).catch(() => undefined)
  }
}

async function confirm(kube: Kube, { metadata, spec, status }: Live<'httproutes'>): Promise<void> {
  const generation = metadata.generation ?? 0
  const known = status?.parents[0]?.conditions?.[0]?.observedGeneration ?? 0
  if (known >= generation) return
  const accepted = (type: string) => ({
    type,
    status: 'True',
    reason: type,
    message: '',
    observedGeneration: generation,
    lastTransitionTime: systemClock.now().toISOString(),
  })
  const parents = (spec?.parentRefs ?? []).map((parentRef) => ({
    parentRef,
    controllerName: CONTROLLER,
    conditions: [accepted('Accepted'), accepted('ResolvedRefs')],
  }))
  const target = { name: metadata.name, namespace: metadata.namespace ?? '' }
  try {
    await kube.patch(
      'httproutes',
      target,
      { type: 'merge', body: { status: { parents } } },
      { subresource: 'status' },
    )
  } catch (thrown) {
    // Gone between the two looks.
    if (!(thrown instanceof KubeError) || thrown.code !== 404) throw thrown
  }
}
