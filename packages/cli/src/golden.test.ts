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
  'token list',
  'token create ci',
  `token delete ${ids.token} --yes`,
  'audit list',
  'audit verify',
]
const formats = ['table', 'wide', 'json', 'yaml', 'name'] as const

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
    await expect(all).toMatchFileSnapshot(`testing/golden/${line.split(' ').slice(0, 2).join('-')}.txt`)
  })
})
