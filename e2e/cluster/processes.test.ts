/*
 * Instances that really run, on the embedded cluster's process node: an image is built, pushed, pulled, started, and then
 * looked at through kubectl and through our client. What simulated nodes cannot show: logs, exec, terminals, probes, ports.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'

import { systemClock } from '@slipway/kit'
import type { Kube, Objects } from '@slipway/kube'
import { buildImage, clientSink } from '@slipway/oci'
import { type TestServer, testServer } from '@slipway/oci/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Kubectl, type KubectlResult, kubectlFor } from './kubectl-runner.ts'
import { hasRealServer, newNamespace, type ServerUnderTest, startServer, until } from './servers.ts'

const APPLICATION = `
import { createServer } from 'node:http'
console.log('starting with ' + process.argv.slice(2).join(' '))
console.error('a line of errors')
createServer((request, response) => {
  console.log('asked for ' + request.url)
  response.end(JSON.stringify({ url: request.url, color: process.env.COLOR, pod: process.env.POD }))
}).listen(Number(process.env.PORT), process.env.HOST)
process.on('SIGTERM', () => { console.log('ending'); process.exit(0) })
`

async function textOf(stream: Readable): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

describe('Instances on the process node', () => {
  let server: ServerUnderTest
  let kube: Kube
  let images: TestServer
  let folder: string
  let image: string
  let namespace: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-processes-'))
    images = await testServer()
    image = await buildAndPush()
    server = await startServer('embedded')
    kube = server.kube
    namespace = await newNamespace(kube)
    await kube.create('deployments', webDeployment())
    await until('two ready Instances', async () => {
      const { status } = await kube.get('deployments', { namespace, name: 'web' })
      return status?.readyReplicas === 2
    })
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await images[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  async function buildAndPush(): Promise<string> {
    const sources = join(folder, 'sources')
    mkdirSync(sources)
    writeFileSync(join(sources, 'server.mjs'), APPLICATION)
    const { stdout } = await promisify(execFile)('tar', ['-c', '-C', sources, '.'], { encoding: 'buffer' })
    const repository = 'public/web'
    await buildImage({
      archive: (async function* () {
        yield stdout
      })(),
      layout: 'node',
      base: { kind: 'declared', name: 'host/node' },
      settings: {
        command: ['node', 'server.mjs', 'one argument'],
        environment: { COLOR: 'from the image' },
        ports: [8080],
      },
      sink: clientSink(images.clientFor('owner'), repository),
      tags: ['v1'],
      spoolFolder: folder,
      clock: systemClock,
    })
    return `${images.host}/${repository}:v1`
  }

  function webDeployment(): Objects['deployments'] {
    const labels = { app: 'web' }
    return {
      metadata: { namespace, name: 'web' },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            automountServiceAccountToken: false,
            terminationGracePeriodSeconds: 5,
            containers: [
              {
                name: 'main',
                image,
                ports: [{ containerPort: 8080 }],
                env: [
                  { name: 'PORT', value: '8080' },
                  { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
                ],
                readinessProbe: { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 1 },
              },
            ],
          },
        },
      },
    }
  }

  async function onePod(): Promise<string> {
    const { items } = await kube.list('pods', { namespace, labelSelector: 'app=web' })
    const [first] = items
    if (!first) throw new Error('there is no pod')
    return first.metadata.name
  }

  test('each has a port of its own, and answers there with its environment', async () => {
    const { items } = await kube.list('endpointslices', { namespace })
    expect(items).toEqual([])
    const { items: pods } = await kube.list('pods', { namespace, labelSelector: 'app=web' })
    const answers = await Promise.all(
      pods.map(async (pod) => {
        const ports = JSON.parse(pod.metadata.annotations?.['slipway/ports'] ?? '{}') as Record<
          string,
          number
        >
        const response = await fetch(`http://${pod.status?.podIP}:${ports['8080']}/hello`)
        return (await response.json()) as { url: string; color: string; pod: string }
      }),
    )
    expect(answers.map((answer) => answer.pod).toSorted()).toEqual(
      pods.map((pod) => pod.metadata.name).toSorted(),
    )
    expect(answers.every((answer) => answer.color === 'from the image' && answer.url === '/hello')).toBe(true)
  })

  test('logs come whole, by their tail, with times, and as they are written', async () => {
    const name = await onePod()
    const target = { namespace, name }
    const whole = await textOf(await kube.logs(target))
    expect(whole).toContain('starting with one argument\n')
    expect(whole).toContain('a line of errors\n')
    expect((await textOf(await kube.logs(target, { tailLines: 1, timestamps: true }))).trim()).toMatch(
      /^\d{4}-\d\d-\d\dT[\d:.]+Z asked for \/\w+$/,
    )
    const stop = new AbortController()
    const following = await kube.logs(target, { follow: true, tailLines: 0, signal: stop.signal })
    let seen = ''
    await expect(async () => {
      for await (const part of following) {
        seen += String(part)
        // The probe asks every second, so there is always something to come.
        if (seen.includes('asked for /ready')) stop.abort(new Error('seen enough'))
      }
    }).rejects.toThrow('seen enough')
    await expect(kube.logs({ namespace, name: 'none' })).rejects.toMatchObject({ reason: 'NotFound' })
  })

  test('exec: output, errors, input and exit codes', async () => {
    const target = { namespace, name: await onePod() }
    const script = 'read line; echo "got $line in $(pwd)"; echo oops >&2; exit 7'
    await using session = await kube.exec(target, { command: ['sh', '-c', script], stdin: true })
    session.stdin.end('a line\n')
    const [stdout, stderr, code] = await Promise.all([
      textOf(session.stdout),
      textOf(session.stderr),
      session.exitCode,
    ])
    expect(stdout).toMatch(/^got a line in \/.*app\n$/)
    expect([stderr, code]).toEqual(['oops\n', 7])
  })

  test('exec with a terminal: it has a size, and control characters work', async () => {
    const target = { namespace, name: await onePod() }
    await using session = await kube.exec(target, { command: ['sh'], stdin: true, terminal: true })
    session.resize({ columns: 101, rows: 37 })
    let seen = ''
    session.stdout.on('data', (part: Buffer) => (seen += part.toString()))
    session.stdin.write('stty size; test -t 0 && echo "a ter"minal\n')
    await until('the size', () => seen.includes('37 101') && seen.includes('a terminal'))
    session.stdin.write('exit 4\n')
    expect(await session.exitCode).toBe(4)
  })

  test('exec of a program that is not there fails with a reason', async () => {
    const target = { namespace, name: await onePod() }
    await using session = await kube.exec(target, { command: ['no-such-program'] })
    session.stdout.resume()
    session.stderr.resume()
    const end = await session.exitCode.catch((error: unknown) => error)
    expect(end === 127 || end instanceof Error).toBe(true)
  })

  test('metrics of pods and nodes are there', async () => {
    const pods = await until('metrics', async () => {
      const { items } = await kube.list('podmetrics', { namespace })
      return items.length === 2 && items
    })
    expect(pods.every((pod) => pod.containers.every((one) => /^\d+[A-Za-z]*$/.test(one.usage.memory)))).toBe(
      true,
    )
    expect((await kube.list('nodemetrics')).items.length).toBeGreaterThan(0)
  })

  describe.runIf(hasRealServer)('through kubectl', () => {
    let kubectl: Kubectl
    beforeAll(async () => {
      kubectl = await kubectlFor(server.kubeconfigPath)
    })
    afterAll(() => kubectl[Symbol.dispose]())

    const run = (parameters: readonly string[], input?: string): Promise<KubectlResult> =>
      kubectl.run(['-n', namespace, ...parameters], input)

    test('logs', async () => {
      const { code, stdout } = await run(['logs', 'deployment/web', '--tail=100'])
      expect([code, stdout.includes('starting with one argument')]).toEqual([0, true])
      const selected = await run(['logs', '-l', 'app=web', '--prefix', '--tail=1'])
      expect(selected.stdout.trim().split('\n')).toHaveLength(2)
    })

    test('exec with input, and its exit code', async () => {
      const pod = await onePod()
      expect(await run(['exec', '-i', pod, '--', 'cat'], 'hello')).toMatchObject({ code: 0, stdout: 'hello' })
      const failed = await run(['exec', pod, '--', 'sh', '-c', 'exit 9'])
      expect([failed.code, failed.stderr.trim()]).toEqual([9, 'command terminated with exit code 9'])
    })

    test('cp in both directions', async () => {
      const pod = await onePod()
      const local = join(folder, 'local.txt')
      writeFileSync(local, 'x'.repeat(100_000))
      expect(await run(['cp', local, `${pod}:copied.txt`])).toMatchObject({ code: 0 })
      expect((await run(['exec', pod, '--', 'wc', '-c', 'copied.txt'])).stdout.trim()).toBe(
        '100000 copied.txt',
      )
      expect(await run(['cp', `${pod}:copied.txt`, join(folder, 'back.txt')])).toMatchObject({ code: 0 })
    })

    test('port-forward, several requests at once', async () => {
      const forwarding = ['-n', namespace, 'port-forward', await onePod(), ':8080']
      await using running = await kubectl.start(forwarding, /Forwarding from (127\.0\.0\.1:\d+) -> 8080/)
      const paths = ['/a', '/b', '/c', '/d']
      const answers = await Promise.all(
        paths.map(async (path) => {
          const response = await fetch(`http://${running.match[1]}${path}`)
          return ((await response.json()) as { url: string }).url
        }),
      )
      expect(answers).toEqual(paths)
    })

    test('logs -f shows what is written later', async () => {
      const following = ['-n', namespace, 'logs', '-f', '--tail=0', await onePod()]
      await using running = await kubectl.start(following, /asked for \/ready/)
      expect(running.match[0]).toBe('asked for /ready')
    })

    test('attach to a container with a terminal', async () => {
      const container = { name: 'main', image, command: ['/bin/sh', '-i'], stdin: true, tty: true }
      await kube.create('pods', {
        metadata: { namespace, name: 'shell' },
        spec: { automountServiceAccountToken: false, restartPolicy: 'Never', containers: [container] },
      })
      expect(await run(['wait', 'pod/shell', '--for=condition=Ready', '--timeout=60s'])).toMatchObject({
        code: 0,
      })
      const attached = await run(['attach', '-i', 'shell'], 'test -t 0 && echo "a ter"minal; exit 3\n')
      expect(attached).toMatchObject({ code: 0, stdout: expect.stringContaining('a terminal\r\n') as string })
      const end = '{.status.containerStatuses[0].state.terminated.exitCode}'
      expect(
        await run(['wait', 'pod/shell', '--for=jsonpath={.status.phase}=Failed', '--timeout=60s']),
      ).toMatchObject({
        code: 0,
      })
      expect((await run(['get', 'pod', 'shell', '-o', `jsonpath=${end}`])).stdout).toBe('3')
      await kube.remove('pods', { namespace, name: 'shell' })
    })

    test('top', async () => {
      expect((await run(['top', 'pods'])).stdout).toMatch(/^NAME +CPU\(cores\) +MEMORY\(bytes\) *\nweb-/)
      expect((await run(['top', 'nodes'])).stdout).toMatch(/^NAME +CPU\(cores\)/)
    })
  })

  test('deleting ends the processes, after their own last words', async () => {
    const target = { namespace, name: await onePod() }
    const following = await kube.logs(target, { follow: true, tailLines: 0 })
    const rest = textOf(following)
    await kube.remove('pods', target)
    expect(await rest).toContain('ending\n')
    await kube.remove('deployments', { namespace, name: 'web' }, { propagationPolicy: 'Foreground' })
    await until('the pods to go', async () => (await kube.list('pods', { namespace })).items.length === 0)
  })
})
