/* An embedded cluster with a registry beside it, and what the tests of foreign applications ask of it. */
import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { systemClock, waitFor } from '@slipway/kit'
import { type Kube, kubeClient, type Live, parseKubeconfig } from '@slipway/kube'
import { type Minicluster, startMinicluster } from '@slipway/minicluster'
import { buildImage, clientSink } from '@slipway/oci'
import { testServer } from '@slipway/oci/testing'

export type Pod = Live<'pods'>
type Language = 'node' | 'python'

export type Application = {
  readonly name: string
  readonly language?: Language
  readonly command: readonly string[]
  /** What its description says it listens at. */
  readonly port?: number
}

/** What an application says of itself: which Instance, and which of its processes. */
export type Answer = { readonly pod: string; readonly pid: number }

export type Stage = AsyncDisposable & {
  readonly kube: Kube
  readonly cluster: Minicluster
  /** Deploys the application, with a Service and a route, and starts four Instances. */
  readonly deploy: (application: Application) => Promise<void>
  readonly pods: (name: string) => Promise<readonly Pod[]>
  readonly waitReady: (name: string, count: number) => Promise<void>
  /** Asks through the gateway until `holds` is content with all answers so far. */
  readonly ask: (name: string, holds: (answers: readonly Answer[]) => boolean) => Promise<void>
  /** Waits until the event was reported of `count` pods of the application; its messages. */
  readonly waitEvents: (name: string, reason: string, count: number) => Promise<readonly string[]>
  readonly log: (pod: string) => Promise<string>
  /** What the pod logs from now on, to its end. */
  readonly follow: (pod: string) => Promise<{ readonly rest: Promise<string> }>
  /** Deletes the application and waits until its pods are gone. */
  readonly remove: (name: string) => Promise<void>
}

const NAMESPACE = 'foreign'
const sources = fileURLToPath(new URL('sources', import.meta.url))
const generous = { timeoutMs: 90_000, everyMs: 50 }

export async function openStage(): Promise<Stage> {
  await using parts = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'slipway-foreign-'))
  // As root, Instances run under uids of their own and must be able to pass.
  chmodSync(folder, 0o711)
  parts.defer(() => rmSync(folder, { recursive: true, force: true }))
  const images = parts.use(await testServer())
  const imageOf = {
    node: await pushImage('node', folder, images),
    python: await pushImage('python', folder, images),
  }
  const cluster = parts.use(
    await startMinicluster({
      dataFolder: join(folder, 'cluster'),
      apiPort: 0,
      gatewayPort: 0,
      clock: systemClock,
      log: () => undefined,
    }),
  )
  const { access } = parseKubeconfig(readFileSync(cluster.kubeconfigPath, 'utf8'))
  const kube = parts.use(kubeClient({ access, clock: systemClock, userAgent: 'slipway-foreign' }))
  await kube.create('namespaces', { metadata: { name: NAMESPACE } })
  const owned = parts.move()
  return {
    ...stageOn(kube, cluster, imageOf),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function pushImage(
  language: Language,
  folder: string,
  images: Awaited<ReturnType<typeof testServer>>,
): Promise<string> {
  const { stdout } = await promisify(execFile)('tar', ['-c', '-C', sources, '.'], { encoding: 'buffer' })
  const repository = `public/${language}`
  await buildImage({
    archive: (async function* () {
      yield stdout
    })(),
    layout: language,
    base: { kind: 'declared', name: `host/${language}` },
    settings: { command: [language === 'node' ? 'node' : 'python3', '--version'], ports: [8080] },
    sink: clientSink(images.clientFor('owner'), repository),
    tags: ['v1'],
    spoolFolder: folder,
    clock: systemClock,
  })
  return `${images.host}/${repository}:v1`
}

function stageOn(
  kube: Kube,
  cluster: Minicluster,
  imageOf: Readonly<Record<Language, string>>,
): Omit<Stage, typeof Symbol.asyncDispose> {
  const namespace = NAMESPACE
  const pods: Stage['pods'] = async (name) =>
    (await kube.list('pods', { namespace, labelSelector: `app=${name}` })).items

  async function events(name: string, reason: string): Promise<ReadonlyMap<string, string>> {
    const { items } = await kube.list('events', { namespace })
    const found = items.filter(
      (event) => event.reason === reason && event.involvedObject.name?.startsWith(`${name}-`) === true,
    )
    return new Map(found.map((event) => [event.involvedObject.name ?? '', event.message ?? '']))
  }

  /** What is wrong, when a wait has been in vain. */
  async function explain(name: string): Promise<string> {
    const { items } = await kube.list('events', { namespace })
    const states = (await pods(name)).map((pod) => JSON.stringify(pod.status?.containerStatuses))
    const said = items.map((event) => `${event.involvedObject.name} ${event.reason}: ${event.message}`)
    return [...states, ...said.filter((line) => line.startsWith(name))].join('\n')
  }

  const wait = async <T>(
    name: string,
    what: string,
    holds: () => Promise<T | undefined | false>,
  ): Promise<T> => {
    try {
      return await waitFor(systemClock, `${name}: ${what}`, holds, generous)
    } catch (cause) {
      throw new Error(await explain(name), { cause })
    }
  }

  return {
    kube,
    cluster,
    pods,
    async deploy(application) {
      const objects = objectsOf(application, imageOf[application.language ?? 'node'])
      await kube.create('deployments', objects.deployment)
      await kube.create('services', objects.service)
      await kube.create('httproutes', objects.route)
    },
    async waitReady(name, count) {
      await wait(name, `${count} ready Instances`, async () => {
        const { status } = await kube.get('deployments', { namespace, name })
        return status?.readyReplicas === count
      })
    },
    async ask(name, holds) {
      const answers: Answer[] = []
      await wait(name, 'the answers', async () => {
        const answer = await askGateway(cluster.gatewayUrl, `${name}.test`)
        if (answer) answers.push(answer)
        return holds(answers)
      })
    },
    waitEvents: (name, reason, count) =>
      wait(name, `${count} events ${reason}`, async () => {
        const found = await events(name, reason)
        return found.size >= count && [...found.values()]
      }),
    log: async (pod) => textOf(await kube.logs({ namespace, name: pod })),
    async follow(pod) {
      const stream = await kube.logs({ namespace, name: pod }, { follow: true, tailLines: 0 })
      return { rest: textOf(stream) }
    },
    async remove(name) {
      await kube.remove('deployments', { namespace, name }, { propagationPolicy: 'Foreground' })
      await wait(name, 'the end of its pods', async () => (await pods(name)).length === 0)
    },
  }
}

function objectsOf({ name, command, port = 8080 }: Application, image: string) {
  const labels = { app: name }
  const metadata = { name, namespace: NAMESPACE }
  const container = {
    name: 'main',
    image,
    command: [...command],
    ports: [{ containerPort: port }],
    env: [{ name: 'PORT', value: String(port) }],
    readinessProbe: { httpGet: { path: '/', port }, periodSeconds: 1 },
  }
  return {
    deployment: {
      metadata,
      spec: {
        replicas: 4,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            automountServiceAccountToken: false,
            terminationGracePeriodSeconds: 10,
            containers: [container],
          },
        },
      },
    },
    service: { metadata, spec: { selector: labels, ports: [{ port: 80, targetPort: port }] } },
    route: {
      metadata,
      spec: {
        parentRefs: [{ name: 'default', namespace: 'slipway-system' }],
        hostnames: [`${name}.test`],
        rules: [{ backendRefs: [{ name, port: 80 }] }],
      },
    },
  }
}

/** One answer of an application, or undefined while the route is not there yet. */
function askGateway(gatewayUrl: string, host: string): Promise<Answer | undefined> {
  return new Promise((resolve, reject) => {
    const request = get(gatewayUrl, { headers: { host }, timeout: 10_000, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => (text += part))
      response.on('error', reject)
      // The applications answer in this form.
      response.on('end', () =>
        resolve(response.statusCode === 200 ? (JSON.parse(text) as Answer) : undefined),
      )
    })
    request.on('timeout', () => request.destroy(new Error(`${host} did not answer in 10 s`)))
    request.on('error', reject)
  })
}

async function textOf(stream: Readable): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

/** Processes whose environment carries the mark of one of these pods: in whatever session, group or place they hide. */
export function processesOf(podUids: readonly string[]): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/u.test(name))
    .flatMap((pid) => {
      try {
        const mark = readFileSync(`/proc/${pid}/environ`, 'utf8')
          .split('\0')
          .find((entry) => entry.startsWith('SLIPWAY_INSTANCE='))
        const belongs = mark !== undefined && podUids.some((uid) => mark.includes(uid))
        return belongs ? [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`] : []
      } catch {
        return [] // it ended meanwhile, or is another account's
      }
    })
}
