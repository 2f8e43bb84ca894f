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
  'fast',
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
  const pool = await rentedPool(cli)
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
    ['pool', `/pools/${pool}`],
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

/** A Pool that is rented to the Project of this run, made by the first who asks. */
async function rentedPool(cli: Developer['cli']): Promise<string> {
  const [known] = (await cli.json('pool', 'list')) as unknown as readonly { readonly id: string }[]
  if (known) return known.id
  await cli.succeed(['pool', 'create', 'local', 'fast', '--node', hostname(), '--labels', 'disk=ssd'])
  await cli.succeed(['pool', 'rent', 'fast', '--project', 'shop', '--until', '5d', '--yes'])
  return rentedPool(cli)
}
