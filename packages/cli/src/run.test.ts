import { chmod } from 'node:fs/promises'
import { join } from 'node:path'

import { definedErrors } from '@slipway/kit'
import { errorCodes, errorText, languages } from '@slipway/messages'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { cliErrors } from './errors.ts'
import { Exit, exitCodeOf } from './exit.ts'
import { harness, type Harness } from './testing/harness.ts'
import { servers } from './testing/servers.ts'
import { refusal, type StandIn } from './testing/stand-in.ts'

let cli: Harness
const { serverOf, endAll } = servers()
beforeAll(async () => {
  cli = await harness()
})
afterEach(endAll)
afterAll(() => cli[Symbol.asyncDispose]())

const configFile = (): string => join(cli.folder, '.config/slipway/config.json')

describe('exit codes', () => {
  const byStatus: [status: number, exit: number][] = [
    [400, Exit.usage],
    [401, Exit.notSignedIn],
    [403, Exit.denied],
    [404, Exit.notFound],
    [409, Exit.conflict],
    [413, Exit.error],
    [422, Exit.error],
    [429, Exit.error],
    [500, Exit.error],
    [503, Exit.error],
  ]
  test.each(byStatus)('a refusal with status %i ends with %i', (status, exit) => {
    expect(exitCodeOf({ code: 'any', status })).toBe(exit)
  })

  test('every code of the command line has a text in every language and an exit code that is not 0', () => {
    for (const code of Object.keys(cliErrors)) {
      expect(errorCodes()).toContain(code)
      for (const language of languages) expect(errorText(language, code, {})).not.toBe(code)
      expect(exitCodeOf({ code, status: definedErrors.get(code) ?? 0 })).not.toBe(Exit.ok)
    }
  })

  test('a refusal is told in the language of the reader, with its request id and the command that helps', async () => {
    const server = await serverOf({ 'GET /v1/account': refusal(401, 'session_ended') })
    const english = await cli.call(['whoami', '--server', server.url])
    expect(english).toEqual({
      exit: Exit.notSignedIn,
      out: '',
      err: 'error: Your session has ended. Sign in again.\n  try: slipway login\n  request id: req_test\n',
    })
    const chinese = await cli.call(['whoami', '--server', server.url], {
      environment: { LANG: 'zh_CN.UTF-8' },
    })
    expect(chinese.err).toContain('错误： 会话已结束，请重新登录。')
  })

  test('colour only goes to a terminal, and not where it is unwanted', async () => {
    const red = '\u001B[1;31merror:'
    const heading = async (words: readonly string[], environment = {}): Promise<string> =>
      (await cli.call([...words, 'nosuch'], { terminal: true, environment })).err
    expect(await heading([])).toContain(red)
    expect(await heading(['--no-color'])).not.toContain(red)
    expect(await heading([], { NO_COLOR: '1' })).not.toContain(red)
    expect((await cli.call(['nosuch'])).err).not.toContain(red)
  })

  test('a time zone that is not known is told, since times are shown in UTC then', async () => {
    const server = await serverOf()
    const told = async (zone: string): Promise<string> =>
      (await cli.call(['whoami', '--server', server.url], { environment: { TZ: zone } })).err
    expect(await told('Mars/Olympus')).toContain('Mars/Olympus, which is not known here')
    for (const zone of ['', 'UTC', 'Asia/Shanghai', ':Europe/Berlin', 'EST5EDT'])
      expect(await told(zone)).not.toContain('UTC')
  })

  test('a code of a newer server is told by its English text', async () => {
    const server = await serverOf({ 'GET /v1/account': refusal(422, 'from_the_future') })
    expect(await cli.call(['whoami', '--server', server.url])).toMatchObject({
      exit: Exit.error,
      err: expect.stringContaining('English of from_the_future') as string,
    })
  })

  test('Ctrl-C ends with 130', async () => {
    const controller = new AbortController()
    const server = await serverOf({
      'GET /v1/account': () => {
        controller.abort(new Error('interrupted'))
        return { body: {} }
      },
    })
    expect(await cli.call(['whoami', '--server', server.url], { signal: controller.signal })).toMatchObject({
      exit: Exit.interrupted,
    })
  })
})

describe('a command line that cannot be understood ends with 2 and says why, in both languages', () => {
  const cases: [line: string, english: string][] = [
    ['projct', 'There is no command "projct".\n  did you mean project?'],
    ['project crete', 'There is no command "crete".\n  did you mean create?'],
    ['project create', 'The argument <slug> is missing.'],
    ['project create a --dry-rum', 'There is no option --dry-rum here.\n  did you mean --dry-run?'],
    ['project create a b', 'There are more arguments than this command takes.'],
    ['project list --limit x', '--limit <count> is not usable. Expected: 1 … 10000'],
    ['project list -o xml', 'is not usable. Expected: table, wide, json, yaml, name'],
    ['workload scale a/b/c 1.5', 'The argument <instances> is not usable. Expected: 0 … 500'],
    [
      'instance show x',
      'The argument <instance> is not usable. Expected: project/application/environment/instance',
    ],
    ['release start a/b/c --image 1 --steps 1,everybody', '"everybody" (1, 25%, rest;'],
    ['workload scale a/b/c -1', 'The argument <instances> is not usable. Expected: 0 … 500'],
    ['workload keep a/b/c b is invalid. x', 'There are more arguments'],
    ["workload keep a/b/c it's", 'The argument <duration> is not usable. Expected: 500ms, 30s, 10m, 2h'],
    ['release start a/b/c --image x --instances web=-1', 'Expected: web=4,worker=2'],
    ['project list --limit', 'needs a value'],
    ['member set li.wei', 'The option --role <role> is required.'],
    ['user update x --disable --enable', 'exclude each other'],
    ['project list --query a..b', 'cannot be read at character'],
    ['project get', 'No project is named, and the context has none.'],
    ['member list', 'No organization is named, and the context has none.'],
    ['api nosuch', 'There is no operation "nosuch"'],
    ['--server nowhere project list', 'is not the address of a server'],
  ]
  test.each(cases)('%s', async (line, english) => {
    const server = await serverOf()
    const words = line.includes('--server') ? line.split(' ') : [...line.split(' '), '--server', server.url]
    // What follows a missing value would be taken for it.
    const called = line.endsWith('--limit') ? ['--server', server.url, ...line.split(' ')] : words
    const result = await cli.call(called)
    expect(result.err).toContain(english)
    expect(result.out).toBe('')
    expect([Exit.usage, Exit.notFound]).toContain(result.exit)
    expect((await cli.call([...called.slice(0, 2), '--lang', 'zh-CN', ...called.slice(2)])).err).toMatch(
      /错误：|用法：/u,
    )
  })

  test('a group without a verb prints its help on standard error', async () => {
    const result = await cli.call(['project', '--lang', 'zh-CN'])
    expect(result).toMatchObject({ exit: Exit.usage, out: '' })
    expect(result.err).toContain('用法： slipway project <命令> [选项]')
  })

  test('help and version go to standard output and end with 0', async () => {
    expect(await cli.call(['--version'])).toEqual({ exit: 0, out: '0.1.0\n', err: '' })
    const help = await cli.call(['project', 'create', '--help', '--lang', 'zh-CN'])
    expect(help).toMatchObject({ exit: 0, err: '' })
    expect(help.out).toContain('示例：\n  slipway project create shop')
    // Words of options and arguments stay; everything that is said is in the language.
    expect(help.out).not.toMatch(/Usage|Options|Arguments|display help|required|default:/u)
  })
})

describe('what is asked of the platform', () => {
  test('--dry-run travels with the change', async () => {
    const server = await serverOf()
    const result = await cli.call([
      'project',
      'create',
      'shop',
      '--organization',
      'acme',
      '--dry-run',
      '--server',
      server.url,
    ])
    expect(result.err).toContain('Dry run')
    expect(server.seen.at(-1)?.line).toMatch(/^POST \/v1\/organizations\/org_\w+\/projects\?dryRun=true$/u)
  })

  test('--limit reads no more pages than needed and says that there is more', async () => {
    const server = await serverOf({
      'GET /v1/tokens': (_, url) => ({
        body: {
          items: Array.from({ length: Number(url.searchParams.get('limit')) }, () => ({ id: 't' })),
          cursor: 'more',
        },
      }),
    })
    const result = await cli.call(['token', 'list', '--limit', '3', '-o', 'name', '--server', server.url])
    expect(result.out).toBe('t\nt\nt\n')
    expect(result.err).toContain('There is more')
    expect(server.seen).toHaveLength(1)
  })

  test('an unknown and an ambiguous name are refused before anything is changed', async () => {
    const twice = {
      body: {
        items: [
          { id: 'org_1', slug: 'x' },
          { id: 'org_2', slug: 'x' },
        ],
      },
    }
    const server = await serverOf({
      'GET /v1/organizations': (_, url) =>
        url.searchParams.get('slug') === 'x' ? twice : { body: { items: [] } },
    })
    expect(await cli.call(['organization', 'delete', 'y', '--yes', '--server', server.url])).toMatchObject({
      exit: Exit.notFound,
    })
    const ambiguous = await cli.call(['organization', 'delete', 'x', '--yes', '--server', server.url])
    expect(ambiguous).toMatchObject({
      exit: Exit.conflict,
      err: expect.stringContaining('org_1, org_2') as string,
    })
  })

  test('api calls any operation, reads JSON fields and every page', async () => {
    const server = await serverOf({
      'GET /v1/projects': (_, url) => ({
        body: url.searchParams.has('cursor') ? { items: [2] } : { items: [1], cursor: 'c' },
      }),
    })
    const all = await cli.call(['api', 'listProjects', 'limit=1', '--all', '--server', server.url])
    expect(JSON.parse(all.out)).toEqual([1, 2])
    await cli.call([
      'api',
      'updateUser',
      'user=usr_1',
      'platformRoles:=["auditor"]',
      'displayName=a=b',
      '--server',
      server.url,
    ])
    expect(server.seen.at(-1)).toMatchObject({
      line: 'PATCH /v1/users/usr_1',
      body: { platformRoles: ['auditor'], displayName: 'a=b' },
    })
    expect(await cli.call(['api', 'getProject', '--server', server.url])).toMatchObject({ exit: Exit.usage })
    expect(await cli.call(['api', 'getProject', 'project:={', '--server', server.url])).toMatchObject({
      exit: Exit.usage,
    })
  })

  test('--query prints plain values bare and --verbose tells requests without secrets', async () => {
    const server = await serverOf()
    const result = await cli.call(
      ['token', 'create', 'ci', '--query', 'secret', '--verbose', '--server', server.url],
      {
        environment: { SLIPWAY_TOKEN: 'top-secret' },
      },
    )
    expect(result.out).toBe('slp_once\n')
    expect(result.err).toMatch(/POST \/v1\/tokens 201 \d+ ms/u)
    expect(result.err).not.toContain('top-secret')
    expect(
      (await cli.call(['token', 'list', '--quiet', '--query', '[].id', '--server', server.url])).err,
    ).toBe('')
  })

  test('a broken audit chain ends with 1', async () => {
    const server = await serverOf({
      'GET /v1/audit-chains/installation/verification': {
        body: { chain: 'installation', events: 5, intact: false, brokenAt: 3, headHash: 'x' },
      },
    })
    expect(await cli.call(['audit', 'verify', '--server', server.url])).toMatchObject({
      exit: Exit.error,
      out: expect.stringContaining('no') as string,
    })
  })

  test('builds and Instances are listed without a name too, with where they belong and what is missing', async () => {
    const server = await serverOf()
    const builds = await cli.call(['build', 'list', '--server', server.url])
    expect(builds.out).toMatch(/^APPLICATION .*\nshop\/api +7 /u)
    const instances = await cli.call(['instance', 'list', '--state', 'Failing', '--server', server.url])
    expect(instances.out).toMatch(/^WORKLOAD .*\nshop\/api\/test +api-web-1a2b3c4d-x7k2p /u)
    expect(instances.err).toContain('The Cluster far does not answer')
    expect(server.seen.map(({ line }) => line)).toEqual([
      'GET /v1/builds?limit=101',
      'GET /v1/instances?limit=101&state=Failing',
    ])
    const process = ['instance', 'list', '--process', 'web', '--server', server.url]
    expect((await cli.call(process)).err).toContain('<workload> is missing')
  })

  test('an Instance is found by its name as lists show it', async () => {
    const server = await serverOf()
    const show = (name: string) => cli.call(['instance', 'show', name, '-o', 'name', '--server', server.url])
    const found = await show('api-web-1a2b3c4d-x7k2p')
    expect(found.out).toMatch(/^wrk_.*\.api-web-1a2b3c4d-x7k2p\n$/u)
    expect(await show('api-web-1a2b3c4d-other')).toMatchObject({
      exit: Exit.notFound,
      err: expect.stringContaining('There is no instance') as string,
    })
  })

  test('doctor goes through everything and ends with 1 when something is wrong', async () => {
    const server = await serverOf()
    const login = ['login', '--name', 'li.wei', '--password-stdin', '--server', server.url]
    expect((await cli.call(login, { stdin: 'pass word\n' })).exit).toBe(0)
    const well = await cli.call(['doctor', '-o', 'json', '--server', server.url], {
      environment: { SLIPWAY_TOKEN: 't' },
    })
    const statuses = (text: string): unknown =>
      (JSON.parse(text) as { check: string; status: string }[]).map(
        ({ check, status }) => `${check} ${status}`,
      )
    expect(statuses(well.out)).toEqual([
      'node ok',
      'config ok',
      'server ok',
      'version ok',
      'clock ok',
      'account ok',
    ])
    await chmod(configFile(), 0o644)
    const ill = await cli.call(['doctor', '-o', 'json', '--server', 'http://127.0.0.1:1'])
    await chmod(configFile(), 0o600)
    expect(ill.exit).toBe(Exit.error)
    expect(statuses(ill.out)).toEqual(['node ok', 'config failed', 'server failed'])
  })

  test('open --print gives the deep link', async () => {
    const shown = async (...words: string[]): Promise<string> =>
      (await cli.call(['open', ...words, '--print', '-o', 'name', '--server', 'http://localhost:7447'])).out
    expect(await shown()).toBe('http://localhost:7447/\n')
    expect(await shown('shop/a&b')).toBe('http://localhost:7447/projects/shop/applications/a%26b\n')
  })
})

describe('completion', () => {
  const complete = async (server: StandIn | undefined, ...words: string[]): Promise<string[]> => {
    const environment = { SLIPWAY_TOKEN: 't', SLIPWAY_SERVER: server?.url ?? 'http://127.0.0.1:1' }
    const result = await cli.call(['__complete', ...words], { environment })
    expect(result).toMatchObject({ exit: 0, err: '' })
    return result.out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t')[0] ?? '')
  }

  test('knows nouns, verbs, options, choices and names from the platform', async () => {
    const server = await serverOf()
    expect(await complete(server, 'pro')).toEqual(['project'])
    expect(await complete(server, 'project', 'd')).toEqual(['delete'])
    expect(await complete(server, 'project', 'create', '--dr')).toEqual(['--dry-run'])
    expect(await complete(server, 'member', 'set', 'x', '--role', '')).toEqual([
      'owner',
      'maintainer',
      'developer',
      'viewer',
    ])
    expect(await complete(server, 'project', 'get', '')).toEqual(['shop'])
    expect(await complete(server, 'project', 'create', 'x', '--organization', 'a')).toEqual(['acme'])
    expect(await complete(server, 'completion', 'z')).toEqual(['zsh'])
    expect(await complete(server, 'api', 'verify')).toEqual(['verifyAudit'])
  })

  test('is silent when the platform is away or refuses', async () => {
    expect(await complete(undefined, 'project', 'get', '')).toEqual([])
    const server = await serverOf({ 'GET /v1/projects': refusal(401, 'session_ended') })
    expect(await complete(server, 'project', 'get', '')).toEqual([])
  })
})
