/* A small server that is no Kubernetes: it answers every request in one way, as a broken or foreign API server would. */
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'

import { makeAuthority } from '../../tools/kubernetes/certificates.ts'

export type FakeReply = {
  readonly code: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}
export type FakeApiServer = AsyncDisposable & {
  /** @param authority - whom the kubeconfig trusts; the authority of this server unless told */
  readonly kubeconfig: (authority?: string) => string
  readonly paths: readonly string[]
}

/** @param answer - undefined never answers */
export async function fakeApiServer(answer: (path: string) => FakeReply | undefined): Promise<FakeApiServer> {
  const authority = makeAuthority('fake')
  const { certificate, key } = authority.issue(['127.0.0.1'])
  const paths: string[] = []
  const server = createServer({ cert: certificate, key }, (request, response) => {
    paths.push(`${request.method} ${request.url}`)
    const reply = answer(request.url ?? '')
    if (reply === undefined) return
    response.writeHead(reply.code, { 'content-type': 'application/json', ...reply.headers })
    response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A server that listens on TCP has such an address.
  const { port } = server.address() as AddressInfo
  return {
    paths,
    kubeconfig: (trusted = authority.certificate) =>
      JSON.stringify({
        'current-context': 'fake',
        clusters: [
          {
            name: 'fake',
            cluster: {
              server: `https://127.0.0.1:${port}`,
              'certificate-authority-data': Buffer.from(trusted).toString('base64'),
            },
          },
        ],
        users: [{ name: 'fake', user: { token: 'abc' } }],
        contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'fake' } }],
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const status = (code: number, reason: string) => ({
  code,
  body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, message: `${reason} it is`, code },
})

/** What an old, but sound, API server says of itself. */
export const oldServer = (path: string): FakeReply => soundServer(path, 'v1.29.9')

/** A server that knows no accounts, and keeps whatever it is given. */
export const simpleServer = (path: string): FakeReply => soundServer(path, 'v1.35.0')

function soundServer(path: string, gitVersion: string): FakeReply {
  const minor = gitVersion.split('.')[1] ?? ''
  if (path.startsWith('/version'))
    return { code: 200, body: { major: '1', minor, gitVersion, platform: 'linux/amd64' } }
  if (path === '/readyz') return { code: 200, body: 'ok' }
  const given = { metadata: { name: 'given', uid: '1', resourceVersion: '1' } }
  if (/^\/api\/v1\/namespaces(?:\/slipway-system(?:\/configmaps)?)?\?/u.test(path))
    return { code: 200, body: given }
  if (path === '/api' || path === '/apis')
    return { code: 200, body: { kind: 'APIGroupDiscoveryList', items: [] } }
  if (path.startsWith('/api/v1/nodes'))
    return { code: 200, body: { kind: 'NodeList', metadata: { resourceVersion: '1' }, items: [] } }
  return status(404, 'NotFound')
}

export const refusing = (): FakeReply => status(401, 'Unauthorized')
export const forbidding = (): FakeReply => status(403, 'Forbidden')
export const busy = (): FakeReply => ({ ...status(429, 'TooManyRequests'), headers: { 'retry-after': '30' } })
export const failing = (): FakeReply => status(500, 'InternalError')
export const babbling = (): FakeReply => ({
  code: 200,
  body: '<html>welcome</html>',
  headers: { 'content-type': 'text/html' },
})
export const silent = (): undefined => undefined
