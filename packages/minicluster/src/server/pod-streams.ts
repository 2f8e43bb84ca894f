import { pipeline } from 'node:stream/promises'

import type { WebSocket } from 'ws'

import { statusErrors, type StatusError } from '../errors.ts'
import type { AnyObject, ContainerReference, LogOptions, NodeAgent } from '../model.ts'
import { listOf, objectOf, textOf } from '../schema/json.ts'
import type { Store } from '../store/index.ts'
import { runOverChannels } from './channels.ts'
import { isTrue, type Exchange } from './exchange.ts'
import { forwardPorts } from './port-forward.ts'
import type { ApiRequest } from './route.ts'

/** logs, exec and attach: finding the pod, its container and the agent of its node. */
export type PodContext = {
  readonly store: Store
  readonly agentOf: (nodeName: string) => NodeAgent | undefined
}

const COMMAND_WORDS_MAX = 1_024

/** Streams a container's log. An unscheduled pod has an empty one. */
export async function sendLog(context: PodContext, exchange: Exchange, api: ApiRequest): Promise<void> {
  const { response, query } = exchange
  const pod = podOf(context, api)
  const container = containerOf(pod, query.get('container'))
  const options = logOptionsOf(query)
  const nodeName = textOf(objectOf(pod['spec'])['nodeName'])
  const source = nodeName === '' ? undefined : await agentFor(context, nodeName).logs(container, options)
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-cache, private' })
  if (!source) {
    response.end()
    return
  }
  response.flushHeaders()
  try {
    await pipeline(source, response)
  } catch (error) {
    // The head is out, so an error of the agent can only end the stream; a client that left is no error.
    if (!response.destroyed) response.destroy(error instanceof Error ? error : undefined)
  }
}

/** @throws {StatusError} 422 */
function logOptionsOf(query: URLSearchParams): LogOptions {
  const sinceTime = query.get('sinceTime')
  const since = sinceTime === null ? undefined : new Date(sinceTime)
  if (since && Number.isNaN(since.getTime())) throw invalidLogOption('sinceTime', 'must be an RFC 3339 time')
  if (since && query.has('sinceSeconds'))
    throw invalidLogOption('sinceSeconds', 'at most one of `sinceTime` or `sinceSeconds` may be specified')
  const tailLines = wholeNumber(query, 'tailLines', 0)
  const limitBytes = wholeNumber(query, 'limitBytes', 1)
  const sinceSeconds = wholeNumber(query, 'sinceSeconds', 1)
  return {
    follow: isTrue(query.get('follow')),
    previous: isTrue(query.get('previous')),
    timestamps: isTrue(query.get('timestamps')),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
    ...(since === undefined ? {} : { sinceTime: since }),
  }
}

function wholeNumber(query: URLSearchParams, field: string, least: number): number | undefined {
  const text = query.get(field)
  if (text === null || text === '') return undefined
  if (/^-?\d{1,15}$/.test(text) && Number(text) >= least) return Number(text)
  throw invalidLogOption(field, `must be greater than ${least === 0 ? 'or equal to 0' : '0'}`)
}

function invalidLogOption(field: string, fault: string): StatusError {
  return statusErrors.invalid('PodLogOptions', '', '', [
    { reason: 'FieldValueInvalid', message: `Invalid value: ${fault}`, field },
  ])
}

/** A checked request for a stream; what comes after cannot be refused by HTTP any more. */
export type PodStream = { readonly start: (socket: WebSocket) => Promise<void> }

/** @throws {StatusError} 400, 404 */
export function prepareCommand(context: PodContext, api: ApiRequest, query: URLSearchParams): PodStream {
  const pod = podOf(context, api)
  const container = containerOf(pod, query.get('container'))
  const nodeName = textOf(objectOf(pod['spec'])['nodeName'])
  if (nodeName === '') throw statusErrors.badRequest(`pod ${pod.metadata.name} does not have a host assigned`)
  const agent = agentFor(context, nodeName)
  const phase = objectOf(pod['status'])['phase']
  if (phase === 'Succeeded' || phase === 'Failed')
    throw statusErrors.badRequest(
      `cannot ${api.subresource} into a container in a completed pod; current phase is ${phase}`,
    )
  const options = {
    stdin: isTrue(query.get('stdin')),
    stdout: isTrue(query.get('stdout') ?? (api.subresource === 'attach' ? 'true' : null)),
    stderr: isTrue(query.get('stderr') ?? (api.subresource === 'attach' ? 'true' : null)),
    terminal: isTrue(query.get('tty')),
  }
  if (!options.stdin && !options.stdout && !options.stderr)
    throw statusErrors.badRequest('you must specify at least 1 of stdin, stdout, stderr')
  const command = query.getAll('command')
  if (api.subresource === 'attach')
    return {
      start: (socket) => runOverChannels(socket, options, (streams) => agent.attach(container, streams)),
    }
  if (command.length === 0)
    throw statusErrors.badRequest('you must specify at least one command for the container')
  if (command.length > COMMAND_WORDS_MAX) throw statusErrors.badRequest('the command has too many words')
  return {
    start: (socket) => runOverChannels(socket, options, (streams) => agent.exec(container, command, streams)),
  }
}

/** @throws {StatusError} 400, 404 */
export function prepareForward(context: PodContext, api: ApiRequest): PodStream {
  const pod = podOf(context, api)
  const nodeName = textOf(objectOf(pod['spec'])['nodeName'])
  if (nodeName === '') throw statusErrors.badRequest(`pod ${pod.metadata.name} does not have a host assigned`)
  const agent = agentFor(context, nodeName)
  const { namespace = '', name } = pod.metadata
  return {
    start(socket) {
      forwardPorts(socket, (port) => agent.connect(namespace, name, port))
      return Promise.resolve()
    },
  }
}

/** @throws {StatusError} 404 */
function podOf({ store }: PodContext, { namespace, name = '' }: ApiRequest): AnyObject {
  const pod = store.get('pods', namespace, name)
  if (!pod) throw statusErrors.notFound('pods', '', name)
  return pod
}

/** @throws {StatusError} 500 for a node that has no agent here */
function agentFor({ agentOf }: PodContext, nodeName: string): NodeAgent {
  const agent = agentOf(nodeName)
  if (!agent) throw statusErrors.internal(`node "${nodeName}" does not answer`)
  return agent
}

/** The container asked for; one must be named where there are several. */
function containerOf(pod: AnyObject, asked: string | null): ContainerReference {
  const spec = objectOf(pod['spec'])
  const namesOf = (field: string): string[] => listOf(spec[field]).map((one) => textOf(objectOf(one)['name']))
  const names = namesOf('containers')
  const initNames = namesOf('initContainers')
  const { name: podName, namespace = '' } = pod.metadata
  if (asked === null || asked === '') {
    const [only = '', ...more] = names
    if (more.length === 0) return { namespace, pod: podName, container: only }
    const inits = initNames.length === 0 ? '' : ` or one of the init containers: [${initNames.join(' ')}]`
    throw statusErrors.badRequest(
      `a container name must be specified for pod ${podName}, choose one of: [${names.join(' ')}]${inits}`,
    )
  }
  if (![...names, ...initNames].includes(asked))
    throw statusErrors.badRequest(`container ${asked} is not valid for pod ${podName}`)
  return { namespace, pod: podName, container: asked }
}
