import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { systemClock, type Clock } from '@slipway/kit'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { Exit } from './exit.ts'
import { harness, type Harness } from './testing/harness.ts'
import { servers } from './testing/servers.ts'
import { refusal } from './testing/stand-in.ts'

let cli: Harness
const { serverOf, endAll } = servers()
beforeAll(async () => {
  cli = await harness()
})
afterEach(endAll)
afterAll(() => cli[Symbol.asyncDispose]())

const configFile = (): string => join(cli.folder, '.config/slipway/config.json')

describe('signing in', () => {
  test('keeps the session in a file only its owner can read, and forgets it again', async () => {
    const server = await serverOf()
    const login = [
      'login',
      '--name',
      'li.wei',
      '--password-stdin',
      '--context-name',
      'here',
      '--server',
      server.url,
    ]
    const result = await cli.call(login, { stdin: 'pass word \n' })
    expect(result).toMatchObject({ exit: 0, err: expect.stringContaining('Signed in') as string })
    expect(server.seen[0]).toMatchObject({
      line: 'POST /v1/sessions',
      body: { name: 'li.wei', password: 'pass word ', delivery: 'bearer' },
    })
    expect(server.seen[1]).toMatchObject({ line: 'GET /v1/account', bearer: 'session-secret' })
    expect((await stat(configFile())).mode & 0o777).toBe(0o600)
    expect(result.out + result.err).not.toContain('session-secret')

    expect((await cli.call(['whoami'])).exit).toBe(0)
    expect(server.seen.at(-1)?.bearer).toBe('session-secret')
    expect((await cli.call(['context', 'list', '-o', 'json'])).out).not.toContain('session-secret')

    expect((await cli.call(['logout'])).exit).toBe(0)
    expect(server.seen.at(-1)).toMatchObject({
      line: 'DELETE /v1/sessions/current',
      bearer: 'session-secret',
    })
    expect(await readFile(configFile(), 'utf8')).not.toContain('session-secret')
    expect(await readdir(join(cli.folder, '.config/slipway'))).toEqual(['config.json'])
  })

  test('the first-run token makes the first administrator', async () => {
    const server = await serverOf()
    const words = [
      'login',
      '--first-run-token',
      'T',
      '--name',
      'admin',
      '--password-stdin',
      '--context-name',
      'first',
      '--server',
      server.url,
    ]
    expect(await cli.call(words, { stdin: 'a long password' })).toMatchObject({ exit: 0 })
    expect(server.seen[0]).toMatchObject({
      line: 'POST /v1/first-run',
      body: { token: 'T', name: 'admin', password: 'a long password', delivery: 'bearer' },
    })
  })

  test('a token that does not work is not kept', async () => {
    const server = await serverOf({ 'GET /v1/account': refusal(401, 'session_ended') })
    const words = ['login', '--token-stdin', '--context-name', 'bad', '--server', server.url]
    expect(await cli.call(words, { stdin: 'wrong\n' })).toMatchObject({ exit: Exit.notSignedIn })
    expect((await cli.call(['context', 'list', '-o', 'name'])).out).not.toContain('bad')
  })

  describe('through a browser', () => {
    const started = {
      deviceCode: 'slpd_secret',
      userCode: 'BCDF-GHJK',
      verificationUrl: 'http://localhost:7447/device',
      verificationUrlComplete: 'http://localhost:7447/device?code=BCDF-GHJK',
      expiresAt: new Date(Date.now() + 600_000).toISOString(),
      intervalSeconds: 5,
    }
    /** Answers one question after the other; the last answer stays. */
    async function ask(answers: readonly ReturnType<typeof refusal>[]) {
      const waits: number[] = []
      let asked = 0
      const server = await serverOf({
        'POST /v1/device-sign-ins': { status: 201, body: started },
        'POST /v1/device-sign-ins/polls': () => answers[Math.min(asked++, answers.length - 1)] ?? {},
      })
      const clock: Clock = {
        ...systemClock,
        async sleep(ms) {
          waits.push(ms)
        },
      }
      const words = ['login', '--device', '--context-name', 'device', '--server', server.url]
      return { result: await cli.call(words, { clock }), server, waits }
    }
    const told = (state: string, intervalSeconds = 5, session: unknown = null): { body: unknown } => ({
      body: { state, intervalSeconds, session },
    })
    const user = { name: 'li.wei' }

    test('shows address and code, asks at the pace it is told, and keeps the session', async () => {
      const { result, server, waits } = await ask([
        told('pending'),
        told('slow-down', 10),
        told('approved', 10, { user, secret: 'session-secret', expiresAt: started.expiresAt }),
      ])
      expect(result.exit, result.err).toBe(Exit.ok)
      expect(result.err).toContain('BCDF-GHJK')
      expect(result.err).toContain('/device?code=BCDF-GHJK')
      expect(waits).toEqual([5_000, 5_000, 10_000])
      expect(server.seen[0]?.body).toMatchObject({
        client: expect.stringContaining('slipway 0.1.0') as string,
      })
      expect(server.seen.at(-1)).toMatchObject({ line: 'GET /v1/account', bearer: 'session-secret' })
      expect(result.out + result.err).not.toMatch(/session-secret|slpd_/u)
    })

    test.each([
      ['denied', Exit.denied],
      ['expired', Exit.notSignedIn],
    ])('%s ends with %i', async (state, exit) => {
      const { result } = await ask([told('pending'), told(state)])
      expect(result).toMatchObject({ exit, out: '' })
    })

    test('a refusal ends it at once', async () => {
      const { result } = await ask([refusal(400, 'input_invalid', { part: 'body', problem: 'x' })])
      expect(result.exit).toBe(Exit.usage)
    })
  })

  test('in a folder of a running platform that one is meant, and said, whatever the current context', async () => {
    const server = await serverOf()
    const away = ['context', 'set', 'away', '--server', 'https://slipway.example.com']
    expect(await cli.call(away)).toMatchObject({ exit: 0 })
    await cli.call(['context', 'use', 'away'])
    await mkdir(join(cli.folder, '.slipway'), { recursive: true })
    await writeFile(join(cli.folder, '.slipway/run.json'), JSON.stringify({ url: server.url }))
    try {
      const result = await cli.call(['login', '--token-stdin', '--context-name', 'near'], {
        stdin: 'token\n',
      })
      expect(result.exit, result.err).toBe(Exit.ok)
      expect(result.err).toContain(`Signing in to ${server.url} (from .slipway/run.json).`)
      const who = JSON.parse((await cli.call(['whoami', '-o', 'json'])).out) as Record<string, unknown>
      expect(who).toMatchObject({
        server: server.url,
        serverFrom: 'context',
        context: 'near',
        contextFile: configFile(),
      })
    } finally {
      await rm(join(cli.folder, '.slipway'), { recursive: true })
    }
  })

  test('nobody is asked without a terminal', async () => {
    const server = await serverOf()
    expect(await cli.call(['login', '--name', 'x', '--server', server.url])).toMatchObject({
      exit: Exit.usage,
      out: '',
    })
    const refused = await cli.call(['project', 'delete', 'shop', '--server', server.url])
    expect(refused).toMatchObject({ exit: Exit.usage, err: expect.stringContaining('--yes') as string })
    expect(server.seen.map(({ line }) => line)).not.toContain(expect.stringContaining('DELETE'))
  })

  test('another server forgets the credentials of a context', async () => {
    const server = await serverOf()
    await cli.call(['login', '--token', 'secret-token', '--context-name', 'moved', '--server', server.url])
    await cli.call(['context', 'set', 'moved', '--server', 'http://localhost:1'])
    const { contexts } = JSON.parse(await readFile(configFile(), 'utf8')) as {
      contexts: Record<string, unknown>
    }
    expect(contexts['moved']).toEqual({ server: 'http://localhost:1' })
  })

  test('a broken configuration file is told by its name, and left alone', async () => {
    const file = join(cli.folder, 'broken.json')
    await writeFile(file, '{"contexts": []}')
    const result = await cli.call(['context', 'list'], { environment: { SLIPWAY_CONFIG: file } })
    expect(result).toMatchObject({ exit: Exit.error, err: expect.stringContaining(file) as string })
    expect(await readFile(file, 'utf8')).toBe('{"contexts": []}')
  })
})
