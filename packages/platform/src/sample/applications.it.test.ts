/* The sample applications by themselves: what they answer, and that they end in good order. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { must, systemClock, waitFor } from '@slipway/kit'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'

import { isolatedGit, makeRepositories, type SampleRepository } from './index.ts'

const path = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`
const isOnPath = (program: string): boolean =>
  path.split(':').some((folder) => existsSync(join(folder, program)))
const git = isolatedGit(path)
let folder: string
let samples: readonly SampleRepository[]
const running: ChildProcess[] = []
let checkouts = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-applications-'))
  const examplesFolder = fileURLToPath(new URL('../../../../examples', import.meta.url))
  samples = await makeRepositories({ examplesFolder, into: folder, git })
})
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

type Started = { readonly url: string; readonly child: ChildProcess; readonly output: () => string }

/** The working tree of one commit. */
async function checkout(name: string, commit: number): Promise<string> {
  const repository = must(
    samples.find((one) => one.name === name),
    name,
  )
  const target = join(folder, `${name}-${(checkouts += 1)}`)
  const id = must(repository.commits[commit], 'the commit').id
  await git(['worktree', 'add', '--quiet', '--force', '--detach', target, id], { folder: repository.path })
  return target
}

async function build(at: string): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['build.sh'], {
    cwd: at,
    env: { PATH: path },
    timeout: 60_000,
  })
  return stdout
}

/** Starts an application at a free port, which its first line tells. */
async function start(at: string, command: readonly string[]): Promise<Started> {
  const [program = '', ...parameters] = command
  const child = spawn(program, parameters, {
    cwd: at,
    env: { PATH: path, HOST: '127.0.0.1', PORT: '0', HOSTNAME: 'instance-1', TMPDIR: at },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.push(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part: Buffer) => (output += part.toString()))
  const url = await waitFor(
    systemClock,
    `${command.join(' ')} to listen`,
    () => {
      if (child.exitCode !== null) throw new Error(output)
      return /http:\/\/[\d.]+:[1-9]\d*/u.exec(output)?.[0]
    },
    { timeoutMs: 30_000, everyMs: 20 },
  )
  return { url, child, output: () => output }
}

async function end({ child }: Started): Promise<unknown> {
  child.kill('SIGTERM')
  const [code] = (await once(child, 'exit')) as [number | null]
  return code
}

describe('node-web', () => {
  test('build.sh passes, and the two versions look different', async () => {
    const pages: string[] = []
    for (const commit of [0, 1]) {
      const at = await checkout('node-web', commit)
      expect(await build(at)).toContain('checked')
      const started = await start(at, ['sh', 'start.sh'])
      pages.push(await (await fetch(started.url)).text())
      const version = (await (await fetch(`${started.url}/version`)).json()) as object
      expect(version).toMatchObject({ version: ['one', 'two'][commit], instance: 'instance-1' })
      expect(await end(started)).toBe(0)
    }
    expect(pages[0]).toContain('<h1>one</h1>')
    expect(pages[1]).toContain('<h1>two</h1>')
    expect(pages[0]?.replaceAll('one', 'two')).not.toBe(pages[1])
  })

  test('every route answers, long and endless ones too', async () => {
    const { url } = await start(await checkout('node-web', 0), ['node', 'server.js'])
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect(await (await fetch(`${url}/slow`)).text()).toBe('slow answer of one\n')
    expect((await (await fetch(`${url}/stream`)).arrayBuffer()).byteLength).toBe(20 * 1024 * 1024)
    expect((await fetch(`${url}/none`)).status).toBe(404)
    expect((await fetch(`${url}/constructor`)).status).toBe(404)
    expect((await fetch(url, { method: 'POST', body: 'x' })).status).toBe(405)
    const events = must((await fetch(`${url}/events`)).body, 'a body').getReader()
    const { value } = await events.read()
    expect(Buffer.from(value ?? []).toString()).toBe(
      'id: 1\ndata: {"version":"one","instance":"instance-1"}\n\n',
    )
    await events.cancel()
  })

  test('the WebSocket sends back what it gets, and refuses what is too long', async () => {
    const { url } = await start(await checkout('node-web', 0), ['node', 'server.js'])
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { perMessageDeflate: false })
    await once(socket, 'open')
    for (const text of ['hello', 'ü'.repeat(1_000)]) {
      socket.send(text)
      const [answer] = (await once(socket, 'message')) as [Buffer]
      expect(answer.toString()).toBe(text)
    }
    socket.ping()
    await once(socket, 'pong')
    socket.send('x'.repeat(70_000))
    expect((await once(socket, 'close'))[0]).toBe(1009)
    const elsewhere = new WebSocket(`${url.replace('http', 'ws')}/elsewhere`)
    await expect(once(elsewhere, 'open')).rejects.toThrow('404')
  })

  test('SIGTERM: requests under way are finished, kept and endless connections are closed', async () => {
    const started = await start(await checkout('node-web', 0), ['node', 'server.js'])
    const agent = new Agent({ keepAlive: true })
    await new Promise((resolve, reject) => {
      get(started.url, { agent }, (response) => response.resume().on('end', resolve)).on('error', reject)
    })
    const slow = fetch(`${started.url}/slow`)
    const events = await fetch(`${started.url}/events`)
    const socket = new WebSocket(`${started.url.replace('http', 'ws')}/ws`)
    await once(socket, 'open')
    const closed = once(socket, 'close')
    // The slow request has come in when a later one has been answered.
    await fetch(`${started.url}/version`)
    const ended = end(started)
    expect(await (await slow).text()).toBe('slow answer of one\n')
    expect(await events.text()).toContain('event: bye')
    expect((await closed)[0]).toBe(1001)
    expect(await ended).toBe(0)
    expect(started.output()).toMatch(/GET \/slow 200\n[^]*ended\n$/u)
    agent.destroy()
  })

  test('stop.sh makes it not ready before the end', async () => {
    const at = await checkout('node-web', 0)
    const { url } = await start(at, ['node', 'server.js'])
    await promisify(execFile)('sh', ['stop.sh'], { cwd: at, env: { PATH: path, TMPDIR: at } })
    expect((await fetch(`${url}/healthz`)).status).toBe(503)
    expect((await fetch(url)).status).toBe(200)
  })
})

describe('python-web', () => {
  test.runIf(isOnPath('python3'))('answers, and ends in good order', async () => {
    const started = await start(await checkout('python-web', 1), ['python3', 'app.py'])
    expect(await (await fetch(`${started.url}/?name=Ada`)).text()).toBe('Hello, Ada\n')
    expect(await (await fetch(`${started.url}/version`)).json()).toMatchObject({ version: '2' })
    expect((await fetch(`${started.url}/none`)).status).toBe(404)
    expect(await end(started)).toBe(0)
    expect(started.output()).toContain('ended\n')
  })
})

describe('java-web', () => {
  test.runIf(isOnPath('javac'))('is built, answers, and ends in good order', async () => {
    const at = await checkout('java-web', 1)
    expect(await build(at)).toContain('made dist/app.jar')
    const started = await start(join(at, 'dist'), ['java', '-XX:+UseSerialGC', '-Xmx64m', '-jar', 'app.jar'])
    expect(await (await fetch(`${started.url}/?zone=Nowhere`)).text()).toBe('there is no such zone\n')
    expect(await (await fetch(`${started.url}/version`)).json()).toEqual({ version: '2' })
    // A Java program that ends by a signal says 128 + 15.
    expect(await end(started)).toBe(143)
    expect(started.output()).toContain('ended\n')
  })
})
