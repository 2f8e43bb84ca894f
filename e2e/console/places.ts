/* The screens that the tests of what runs walk through. */
import { hostname } from 'node:os'

import { WORKLOAD, type Developer } from '../journey/developer.ts'
import type { Screens } from './walk.ts'

/** What people and machines named in this run; it belongs to no language. */
export const DATA = [
  hostname(),
  'shop/web/production',
  'production',
  'acme',
  'shop',
  'web',
  'ann',
  'bea',
  'vic',
  'local',
  'default',
  'vault',
  'near the customers',
  'admin',
  'anonymous',
  'system',
  'API_KEY',
  'LOG_LEVEL',
  // Codes of errors, the same in every language.
  'permission_missing',
  'not_found',
  'caller_gone',
]

/** The screens of what runs and of administration. */
export async function screens({ cli }: Developer, workloadPath: string): Promise<Screens> {
  const [instance] = (await cli.json('instance', 'list', WORKLOAD)) as unknown as readonly {
    readonly id: string
  }[]
  const [cluster] = (await cli.json('cluster', 'list')) as unknown as readonly { readonly id: string }[]
  const [location] = (await cli.json('location', 'list')) as unknown as readonly { readonly id: string }[]
  const [organization] = (await cli.json('organization', 'list')) as unknown as readonly {
    readonly id: string
  }[]
  return [
    ['workload-logs', `${workloadPath}/logs?find=order&wrap=false`],
    ['workload-terminal', `${workloadPath}/terminal`],
    ['workload-variables', `${workloadPath}/variables`],
    ['workload-settings', `${workloadPath}/settings`],
    ['workload-yaml', `${workloadPath}/yaml`],
    ['instance', `/instances/${instance?.id ?? ''}`],
    ['clusters', '/clusters'],
    ['cluster', `/clusters/${cluster?.id ?? ''}`],
    ['cluster-instances', `/clusters/${cluster?.id ?? ''}/instances`],
    ['node', `/clusters/${cluster?.id ?? ''}/nodes/${hostname()}`],
    ['locations', '/locations'],
    ['location', `/locations/${location?.id ?? ''}`],
    ['new-cluster', '/new-cluster'],
    ['new-cluster-by-agent', '/new-cluster?by=agent'],
    ['organizations', '/organizations'],
    ['organization', `/organizations/${organization?.id ?? ''}`],
    ['organization-audit', `/organizations/${organization?.id ?? ''}/audit`],
    ['users', '/users'],
    ['tokens', '/tokens'],
    ['audit', '/audit'],
  ]
}
