import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { harness, type Harness } from './testing/harness.ts'
import { ids, replies } from './testing/replies.ts'
import { standIn, type StandIn } from './testing/stand-in.ts'

/* Options → output: every command against one small installation, in five formats and two languages. */

let server: StandIn
let cli: Harness
beforeAll(async () => {
  server = await standIn(replies)
  cli = await harness()
  await cli.call([
    'context',
    'set',
    'here',
    '--organization',
    'acme',
    '--project',
    'shop',
    '--server',
    server.url,
  ])
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await cli[Symbol.asyncDispose]()
})

const lines: readonly string[] = [
  'organization list',
  'organization get acme',
  'organization create acme',
  'organization update acme --name Acme',
  'organization delete acme --yes',
  'project list',
  'project get shop',
  'project create shop --organization acme',
  'project update shop --name Shop',
  'project delete shop --yes --dry-run',
  'environment list',
  'environment get test',
  'environment create shop/test',
  `environment update ${ids.environment} --name Test`,
  'environment delete test --yes',
  'user list',
  'user create li.wei --password-stdin',
  'user update li.wei --disable',
  'member list',
  'member set li.wei --role owner',
  'member remove li.wei --yes',
  'member permissions shop',
  'token list',
  'token create ci',
  `token delete ${ids.token} --yes`,
  'audit list',
  'audit verify',
  'cluster list',
  'cluster show beijing',
  'cluster register beijing --kubeconfig -',
  'cluster default beijing',
  'cluster register beijing --kubeconfig - --dry-run',
  'cluster manifest',
  'cluster register-agent beijing',
  'cluster renew-agent beijing',
  'cluster revoke-agent beijing --yes',
  'cluster rotate-credentials beijing',
  'cluster renew-credentials beijing --kubeconfig -',
  'cluster nodes beijing',
  'location list',
  'location create production --restricted',
  'location update production --open',
  'location delete production --yes',
  'location assign beijing production',
  'location request production --project shop',
  'location grants',
  `location grant lgr_${ids.cluster.slice(4)} --until 2027-01-31`,
  `location refuse lgr_${ids.cluster.slice(4)}`,
  'pool list',
  'pool show gpu',
  'pool create beijing gpu --labels gpu=a100 --exclusive',
  'pool update gpu --open',
  'pool delete gpu --yes',
  'pool add-node gpu n3',
  'pool remove-node gpu n3',
  'pool rent gpu --project shop --until 2026-12-31T16:00:00Z --yes',
  'pool release-rent gpu --yes',
  'pool rents',
  'pool labels beijing',
  'node show beijing n1',
  'node tenants beijing n1',
  'node cordon beijing n1',
  'node uncordon beijing n1',
  'node drain beijing n1 --yes',
  'node drain beijing n1 --dry-run',
  'node evacuations',
  `node evacuation eva_${ids.cluster.slice(4)}`,
  `node cancel-drain eva_${ids.cluster.slice(4)}`,
  'cluster remove beijing --yes',
  'application list',
  'application show api',
  'application create api',
  'application delete api --yes',
  'source set api https://git.example.com/shop/api.git',
  'source show api',
  'source delete api --yes',
  'source branches api',
  'source commits api',
  'build start api --detach',
  'build list api',
  'build show api#7',
  'build cancel api#7',
  'build cache api',
  'build clear-cache api',
  'image list api',
  'image show api:1.4.0',
  'image delete api:build-7 --yes',
  'image bases',
  'image import base/node:latest -',
  'workload list',
  'workload show api/test',
  'workload status',
  'workload create api/test',
  'workload scale api/test 4',
  'workload place api/test --clear',
  'workload pool api/test gpu',
  'workload restart api/test',
  'workload set api/test LOG_LEVEL=debug',
  'workload variables api/test',
  'workload history api/test',
  'workload keep api/test 10m',
  'workload delete api/test --yes',
  'release list api/test',
  'release list --wrong',
  'release show api/test',
  'release start api/test --image 1.4.0 --detach',
  'release rollback api/test --detach',
  'release redeploy api/test --detach',
  'release pause api/test',
  'release resume api/test',
  'release abort api/test',
  'release promote api/test',
  'release pin api/test',
  'release diff api/test',
  'gate list',
  'gate approve api/test',
  'gate reject api/test',
  'instance list api/test',
  'instance show shop/api/test/api-web-1a2b3c4d-x7k2p',
  'instance neighbours shop/api/test/api-web-1a2b3c4d-x7k2p',
  'instance events shop/api/test/api-web-1a2b3c4d-x7k2p',
  'instance restart shop/api/test/api-web-1a2b3c4d-x7k2p',
]
const formats = ['table', 'wide', 'json', 'yaml', 'name'] as const

/** Noun and verb, and the option where the same command shows something else with it. */
function fileOf(line: string): string {
  const [noun = '', verb = '', third = ''] = line.split(' ')
  const variant = third.startsWith('--wrong') ? third.slice(1) : ''
  return `${noun}-${verb}${variant}${line.endsWith('--dry-run') ? '-dry-run' : ''}`
}

describe('each command prints the same as before', () => {
  test.each(lines)('%s', async (line) => {
    let all = ''
    const json = new Set<string>()
    for (const format of formats) {
      for (const language of ['en', 'zh-CN']) {
        const result = await cli.call([...line.split(' '), '-o', format, '--lang', language], {
          stdin: 'long enough\n',
        })
        expect(result.exit, result.err).toBe(0)
        if (format === 'json') json.add(result.out)
        all += `$ slipway ${line} -o ${format} --lang ${language}\n${result.out}${result.err.replaceAll(/^/gmu, '! ')}\n`
      }
    }
    // Data is the same in every language, and a program can read it.
    expect(json.size).toBe(1)
    expect(() => JSON.parse([...json][0] ?? '') as unknown).not.toThrow()
    // A name from outside cannot steer the terminal.
    expect(all.replaceAll(/\\u001[bB]|\\e/gu, '')).not.toContain('\u001B')
    await expect(all).toMatchFileSnapshot(`testing/golden/${fileOf(line)}.txt`)
  })
})
