import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import type { Config } from './config.ts'
import { chooseServer, findRunningServer, type ServerInput } from './server.ts'

const config: Config = {
  current: 'work',
  contexts: {
    work: { server: 'https://slipway.example.com', secret: 'work-secret' },
    home: { server: 'http://localhost:7447', secret: 'home-secret' },
  },
}
const input: ServerInput = {
  server: undefined,
  contextName: undefined,
  environment: {},
  config,
  found: () => undefined,
}
const nobody: Config = { contexts: {} }

describe('the server and who one is there', () => {
  const cases: [
    when: string,
    change: Partial<ServerInput>,
    url: string,
    source: string,
    bearer: string | undefined,
  ][] = [
    ['the current context', {}, 'https://slipway.example.com', 'context', 'work-secret'],
    ['a named context', { contextName: 'home' }, 'http://localhost:7447', 'context', 'home-secret'],
    [
      'a context named in the environment',
      { environment: { SLIPWAY_CONTEXT: 'home' } },
      'http://localhost:7447',
      'context',
      'home-secret',
    ],
    [
      '--server goes first, with the secret of that server',
      { server: 'http://localhost:7447/' },
      'http://localhost:7447',
      '--server',
      'home-secret',
    ],
    [
      'a strange server gets no secret',
      { server: 'https://evil.example.com' },
      'https://evil.example.com',
      '--server',
      undefined,
    ],
    [
      'SLIPWAY_SERVER goes before the context',
      { environment: { SLIPWAY_SERVER: 'https://evil.example.com' } },
      'https://evil.example.com',
      'SLIPWAY_SERVER',
      undefined,
    ],
    [
      'SLIPWAY_TOKEN goes before a stored secret',
      { environment: { SLIPWAY_TOKEN: 'mine' } },
      'https://slipway.example.com',
      'context',
      'mine',
    ],
    [
      'a platform of the folder above',
      { config: nobody, found: () => 'http://127.0.0.1:9000' },
      'http://127.0.0.1:9000',
      '.slipway/run.json',
      undefined,
    ],
    [
      'a folder cannot name a server elsewhere',
      { config: nobody, found: () => 'https://evil.example.com' },
      'http://localhost:7447',
      'default',
      undefined,
    ],
    [
      'signing in, a platform of the folder above goes before the current context',
      { prefersFound: true, found: () => 'http://localhost:7447' },
      'http://localhost:7447',
      '.slipway/run.json',
      'home-secret',
    ],
    [
      'but not before what was named',
      { prefersFound: true, contextName: 'work', found: () => 'http://localhost:7447' },
      'https://slipway.example.com',
      'context',
      'work-secret',
    ],
    [
      'and not one elsewhere',
      { prefersFound: true, found: () => 'https://evil.example.com' },
      'https://slipway.example.com',
      'context',
      'work-secret',
    ],
    ['nothing at all', { config: nobody }, 'http://localhost:7447', 'default', undefined],
  ]
  test.each(cases)('%s', (_, change, url, source, bearer) => {
    expect(chooseServer({ ...input, ...change })).toMatchObject({ url, source, bearer })
  })

  test.each(['ftp://x', 'nowhere', 'http://user:secret@x', 'javascript:alert(1)'])(
    '%s is no address',
    (server) => {
      expect(() => chooseServer({ ...input, server })).toThrow(
        expect.objectContaining({ code: 'server_address_invalid' }) as Error,
      )
    },
  )

  test('an unknown context is refused', () => {
    expect(() => chooseServer({ ...input, contextName: 'toString' })).toThrow(
      expect.objectContaining({ code: 'context_unknown' }) as Error,
    )
  })
})

test('the address of a running platform is found from folders below it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-run-'))
  try {
    await mkdir(join(folder, '.slipway'), { recursive: true })
    await mkdir(join(folder, 'a/b'), { recursive: true })
    await writeFile(join(folder, '.slipway/run.json'), JSON.stringify({ url: 'http://localhost:7999' }))
    expect(findRunningServer(join(folder, 'a/b'))).toBe('http://localhost:7999')
    await writeFile(join(folder, '.slipway/run.json'), 'not json')
    expect(findRunningServer(join(folder, 'a/b'))).toBeUndefined()
  } finally {
    await rm(folder, { recursive: true })
  }
})
