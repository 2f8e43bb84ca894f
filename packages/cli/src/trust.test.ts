import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto'

import { makeCertificate, newCertificateKey, validityOf } from '@slipway/kit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { Exit } from './exit.ts'
import { harness, type Harness } from './testing/harness.ts'
import { authorityFileOf } from './trust.ts'

const choices: [
  what: string,
  given: Partial<Parameters<typeof authorityFileOf>[0]>,
  file: string | undefined,
][] = [
  ['nothing was named', {}, undefined],
  ['the option goes first', { globals: { ca: 'a.crt' } }, '/here/a.crt'],
  ['then the environment', { globals: { ca: undefined } }, '/etc/b.crt'],
  ['then the context', { globals: { ca: undefined }, environment: {} }, '/home/c.crt'],
]
test.each(choices)('%s', (_, given, file) => {
  const nothing = { globals: { ca: undefined }, environment: {}, context: undefined, folder: '/here' }
  const all = {
    environment: { SLIPWAY_CA: '/etc/b.crt' },
    context: { server: 'https://a.example', ca: '/home/c.crt' },
  }
  expect(authorityFileOf({ ...nothing, ...(file === undefined ? {} : all), ...given })).toBe(file)
})

let cli: Harness
let folder = ''
const cleanup = new AsyncDisposableStack()
beforeAll(async () => {
  cli = cleanup.use(await harness())
  folder = await mkdtemp(join(tmpdir(), 'slipway-trust-'))
  cleanup.defer(() => rm(folder, { recursive: true, force: true }))
})
afterAll(() => cleanup.disposeAsync())

/** A server whose certificate is for `host` and lasts so many days, and the file of its authority. */
async function serverFor(
  host: string,
  days: number,
): Promise<{ readonly url: string; readonly authority: string }> {
  const [own, served] = [newCertificateKey(), newCertificateKey()]
  const issuer = { name: `authority ${randomBytes(4).toString('hex')}`, privateKey: createPrivateKey(own) }
  const make = (key: string, lasts: number, hosts?: readonly string[]): string =>
    makeCertificate({
      subject: hosts?.[0] ?? issuer.name,
      publicKey: createPublicKey(createPrivateKey(key)),
      issuer,
      serial: randomBytes(16),
      // Counted from two days ago, so that one day is over.
      ...validityOf(new Date(Date.now() - 2 * 86_400_000), lasts),
      ...(hosts && { hosts }),
    })
  const server = createServer({ cert: make(served, days, [host]), key: served }, (_, response) => {
    response.writeHead(401, { 'content-type': 'application/json' })
    response.end(
      JSON.stringify({ error: { code: 'not_signed_in', message: '', params: {}, requestId: 'r' } }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanup.defer(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const authority = join(folder, `${randomBytes(4).toString('hex')}.crt`)
  await writeFile(authority, make(own, 30))
  // A server that listens by TCP has such an address.
  const { port } = server.address() as AddressInfo
  return { url: `https://127.0.0.1:${port}`, authority }
}

test('an unknown authority, an end that has passed and another name are told apart, each with what to do', async () => {
  const good = await serverFor('127.0.0.1', 30)
  const unknown = await cli.call(['whoami', '--server', good.url])
  expect(unknown).toMatchObject({ exit: Exit.error, err: expect.stringContaining('--ca <file>') as string })
  const ended = await serverFor('127.0.0.1', 1)
  const late = await cli.call(['whoami', '--server', ended.url, '--ca', ended.authority])
  expect(late.err).toContain('has expired or is not valid yet')
  const foreign = await serverFor('other.example', 30)
  const misnamed = await cli.call(['whoami', '--server', foreign.url, '--ca', foreign.authority])
  expect(misnamed.err).toContain('is for another address')
  const known = await cli.call(['whoami', '--server', good.url, '--ca', good.authority])
  expect(known).toMatchObject({ exit: Exit.notSignedIn, err: expect.stringContaining('Sign in') as string })
})

test.each([
  ['absent', undefined],
  ['no certificate', 'nonsense'],
])('a file that is %s is refused by its name', async (name, content) => {
  const file = join(folder, name)
  if (content !== undefined) await writeFile(file, content)
  const refused = await cli.call(['whoami', '--server', 'https://127.0.0.1:9', '--ca', file])
  expect(refused).toMatchObject({ exit: Exit.usage, err: expect.stringContaining(file) as string })
})

test('a context keeps the authority it was set with', async () => {
  const words = ['context', 'set', 'far', '--server', 'https://far.example', '--ca', join(folder, 'far.crt')]
  expect(await cli.call(words)).toMatchObject({ exit: Exit.ok })
  const shown = await cli.call(['whoami', '--context', 'far'])
  expect(shown.err).toContain(join(folder, 'far.crt'))
})
