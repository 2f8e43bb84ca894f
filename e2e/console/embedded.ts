/* The embedded cluster, taken for one that is far away. */
import { readFile } from 'node:fs/promises'

import type { AgentPlace } from '../agent/agent-process.ts'
import type { Product } from '../journey/product.ts'

/** Where the agent would be, if the embedded cluster were far away. */
export async function embeddedPlace(product: Product): Promise<AgentPlace> {
  const { clusters, users } = JSON.parse(await readFile(product.kubeconfig, 'utf8')) as {
    readonly clusters: readonly {
      readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string }
    }[]
    readonly users: readonly { readonly user: { readonly token: string } }[]
  }
  const authority = clusters[0]?.cluster['certificate-authority-data'] ?? ''
  return {
    apiUrl: clusters[0]?.cluster.server ?? '',
    certificateAuthority: Buffer.from(authority, 'base64').toString('utf8'),
    accountToken: users[0]?.user.token ?? '',
    platformUrl: product.url,
  }
}
