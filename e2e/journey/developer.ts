/* What a developer does through the CLI. */
import { systemClock, waitFor } from '@slipway/kit'

import { cliAt, type Cli } from './cli.ts'
import type { Product } from './product.ts'
import type { Repository } from './repository.ts'

const WAIT_MS = 90_000
export const PASSWORD = 'a long journey password'
const APPLICATION = 'shop/web'
export const WORKLOAD = 'shop/web/production'

export type Release = {
  readonly id: string
  readonly number: number
  readonly state: string
  readonly batch: number
  readonly weight: number
  readonly fromId: string | null
}
export type Event = {
  readonly kind: string
  readonly batch: number
  readonly code: string
  readonly params: Readonly<Record<string, unknown>>
}

export type Developer = {
  readonly cli: Cli
  /** What the rest is about. */
  readonly workload: string
  readonly nameSource: (repository: Repository) => Promise<void>
  /** Builds a commit; the build's id, which a release takes as its image. */
  readonly build: (commit: string) => Promise<string>
  readonly builds: () => Promise<readonly unknown[]>
  readonly releases: () => Promise<readonly Release[]>
  readonly events: (release: string) => Promise<readonly Event[]>
  /** Waits until the newest Release is in a state and, if told, a batch. */
  readonly reaches: (state: string, batch?: number) => Promise<Release>
  /** The address that needs no name resolution. */
  readonly address: () => Promise<string>
}

/**
 * The first person of a new installation: signs in and makes Project, Environment, Application and Workload.
 * @param prepare - what an operator does before, such as registering a Cluster
 */
export async function settleIn(
  product: Pick<Product, 'url' | 'firstRunToken'> & { readonly authority?: string },
  home: string,
  prepare: (cli: Cli) => Promise<void> = async () => undefined,
): Promise<Developer> {
  const cli = cliAt(home, product.url, product.authority)
  const token = product.firstRunToken ?? ''
  await cli.succeed(
    ['login', '--first-run-token', token, '--name', 'ann', '--password-stdin'],
    `${PASSWORD}\n`,
  )
  await prepare(cli)
  await cli.succeed(['organization', 'create', 'acme'])
  await cli.succeed(['project', 'create', 'shop', '--organization', 'acme'])
  await cli.succeed(['environment', 'create', 'shop/production'])
  await cli.succeed(['application', 'create', APPLICATION])
  await cli.succeed(['workload', 'create', WORKLOAD])
  return developerOf(cli, WORKLOAD)
}

/** Who works at one Workload of the Application. */
export function developerOf(cli: Cli, workload: string): Developer {
  const environment = `shop/${workload.split('/').at(-1) ?? ''}`
  const list = async <T>(...args: readonly string[]): Promise<readonly T[]> =>
    // The list commands print the items.
    itemsOf(await cli.json(...args)) as readonly T[]
  const releases: Developer['releases'] = () => list<Release>('release', 'list', workload)
  const events: Developer['events'] = (release) =>
    list<Event>('api', 'listReleaseEvents', `release=${release}`, 'limit:=200')
  return {
    cli,
    workload,
    releases,
    nameSource: async (repository) => {
      await cli.succeed(['source', 'set', APPLICATION, repository.path])
    },
    async build(commit) {
      const build = await cli.json(
        'build',
        'start',
        APPLICATION,
        '--ref',
        commit,
        '--environment',
        environment,
      )
      return String(build['id'])
    },
    builds: () => list('build', 'list', APPLICATION),
    events,
    async reaches(state, batch) {
      let last: Release | undefined
      const isThere = async (): Promise<Release | undefined> => {
        last = (await releases())[0]
        return last?.state === state && (batch === undefined || last.batch === batch) ? last : undefined
      }
      try {
        return await waitFor(systemClock, `the release to reach ${state}`, isThere, {
          timeoutMs: WAIT_MS,
          everyMs: 300,
        })
      } catch (cause) {
        const journal = last === undefined ? [] : await events(last.id)
        throw new Error(`not ${state}: ${JSON.stringify(last)} ${JSON.stringify(journal)}`, { cause })
      }
    },
    async address() {
      const shown = await cli.json('workload', 'show', workload)
      return (shown['urls'] as readonly string[]).at(-1) ?? ''
    },
  }
}

function itemsOf(document: unknown): unknown {
  return Array.isArray(document) ? document : (document as { readonly items: unknown }).items
}
