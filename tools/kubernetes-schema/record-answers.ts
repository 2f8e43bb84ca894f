/*
 * Asks a real API server the questions that the embedded cluster's tests hold, and writes its answers beside them. The files
 * in `packages/minicluster/src/generated/answers/` are questions and answers at once: add a question by hand, with any
 * answer, then run this.
 *
 *   node --conditions=source tools/kubernetes-schema/record-answers.ts https://127.0.0.1:6443 <token>
 *
 * The server must be one for tests, with the Gateway API's definitions installed: objects in the namespace `default` and a
 * namespace `restricted` are made and deleted. Its certificate is not checked.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'

type Json = { [field: string]: unknown }
type Answer = { readonly status: number; readonly body: Json }
type Step = {
  readonly op: string
  readonly manager: string
  readonly force?: boolean
  readonly body: unknown
}
type Cases = readonly (Json & { readonly resource: string; readonly object: Json })[]

const [server = '', token = ''] = process.argv.slice(2)
if (!server.startsWith('https://') || token === '')
  throw new Error('usage: record-answers.ts https://host:port <token>')
const folder = join(import.meta.dirname, '../../packages/minicluster/src/generated/answers')
const agent = new Agent({ keepAlive: true, rejectUnauthorized: false })
const PATCH_TYPES: { readonly [op: string]: string } = {
  apply: 'application/apply-patch+yaml',
  strategic: 'application/strategic-merge-patch+json',
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
}

await record('defaults', recordDefault)
await record('validation', recordValidation)
await record('updates', recordUpdate)
await record('pod-security', recordPodSecurity)
await record('patches', recordPatches)
agent.destroy()

async function record(name: string, ask: (one: Cases[number]) => Promise<Json>): Promise<void> {
  const file = join(folder, `${name}.json`)
  const cases = JSON.parse(readFileSync(file, 'utf8')) as Cases
  const lines: string[] = []
  for (const one of cases) lines.push(JSON.stringify({ ...one, ...(await ask(one)) }))
  writeFileSync(file, `[\n${lines.join(',\n')}\n]\n`)
  console.log(`${name}: ${lines.length}`)
}

async function recordDefault({ resource, object }: Cases[number]): Promise<Json> {
  await remove(resource, object)
  const { body, status } = await call('POST', pathOf(resource, object), object)
  if (status >= 300) throw new Error(`${resource}: ${JSON.stringify(body)}`)
  await remove(resource, object)
  const answer = bare(body, object)
  const { managedFields: _owners, ...metadata } = answer['metadata'] as Json
  return { answer: { ...answer, metadata } }
}

async function recordValidation({ resource, object }: Cases[number]): Promise<Json> {
  const answer = await call('POST', `${pathOf(resource, object)}?dryRun=All`, object)
  return { causes: causesOf(answer) }
}

/** `change` replaces fields of the spec, or of the object, of what `object` became. */
async function recordUpdate({ resource, object, change }: Cases[number]): Promise<Json> {
  await remove(resource, object)
  await call('POST', pathOf(resource, object), object)
  const path = `${pathOf(resource, object)}/${nameOf(object)}`
  const live = (await call('GET', path)).body
  const { spec, ...rest } = change as Json
  const wanted = {
    ...live,
    ...rest,
    ...(spec ? { spec: { ...(live['spec'] as Json), ...(spec as Json) } } : {}),
  }
  const answer = await call('PUT', path, wanted)
  await remove(resource, object)
  return { causes: causesOf(answer) }
}

async function recordPodSecurity({ object }: Cases[number]): Promise<Json> {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
  await call('POST', '/api/v1/namespaces', { metadata: { name: 'restricted', labels } })
  await call('POST', '/api/v1/namespaces/restricted/serviceaccounts', { metadata: { name: 'default' } })
  const { body, status } = await call('POST', '/api/v1/namespaces/restricted/pods?dryRun=All', object)
  return { message: status < 300 ? '' : body['message'] }
}

async function recordPatches({ resource, object, steps }: Cases[number]): Promise<Json> {
  await remove(resource, object)
  const collection = pathOf(resource, object)
  const path = `${collection}/${nameOf(object)}`
  const answered: Json[] = []
  for (const step of steps as readonly Step[]) {
    const query = `?fieldManager=${step.manager}${step.force ? '&force=true' : ''}`
    // `status-merge` is a merge patch of the status, `scale` one of the scale.
    const [subresource, kind = 'merge'] = /^(?:status|scale)/.test(step.op)
      ? step.op.split('-')
      : ['', step.op]
    const patchType = PATCH_TYPES[kind]
    let answer: Answer
    if (step.op === 'create') answer = await call('POST', collection + query, step.body)
    else if (patchType)
      answer = await call(
        'PATCH',
        `${path}${subresource ? `/${subresource}` : ''}${query}`,
        step.body,
        patchType,
      )
    else {
      const live = (await call('GET', path)).body
      answer = await call('PUT', path + query, { ...live, ...(step.body as Json) })
    }
    const { status } = answer
    // A scale answers with a Scale; what it did to the object is the question.
    const body = status < 300 && subresource ? (await call('GET', path)).body : answer.body
    const { code, message, reason } = body
    const refusal = { code, reason, message, causes: (body['details'] as Json | undefined)?.['causes'] }
    answered.push({ ...step, answer: status < 300 ? bare(body, object) : refusal })
  }
  await remove(resource, object)
  return { steps: answered }
}

/** The object without what differs from server to server: identity, versions, times, allocated addresses. */
function bare(body: Json, asked: Json): Json {
  const {
    uid,
    creationTimestamp: _at,
    resourceVersion: _version,
    generation: _generation,
    ...metadata
  } = body['metadata'] as Json
  const object: Json = { ...body, metadata }
  if (body['kind'] === 'Service' && (asked['spec'] as Json)['clusterIP'] === undefined) {
    const { clusterIP: _ip, clusterIPs: _ips, ...spec } = body['spec'] as Json
    object['spec'] = spec
  }
  const text = JSON.stringify(object, (key, value: unknown) =>
    value === null || key === 'time' || key === 'nodePort' ? undefined : value,
  )
  return JSON.parse(typeof uid === 'string' ? text.replaceAll(uid, 'the-uid') : text) as Json
}

function causesOf({ status, body }: Answer): unknown {
  if (status < 300) return []
  const causes = (body['details'] as Json | undefined)?.['causes']
  if (status !== 422 || causes === undefined) throw new Error(JSON.stringify(body))
  return causes
}

async function remove(resource: string, object: Json): Promise<void> {
  const path = `${pathOf(resource, object)}/${nameOf(object)}`
  await call('PATCH', path, { metadata: { finalizers: null } }, PATCH_TYPES['merge'])
  await call('DELETE', `${path}?gracePeriodSeconds=0&propagationPolicy=Background`)
  if (resource === 'namespaces')
    await call('PUT', `${path}/finalize`, { ...object, spec: { finalizers: [] } })
}

function nameOf(object: Json): string {
  return String((object['metadata'] as Json)['name'])
}

function pathOf(resource: string, object: Json): string {
  const version = String(object['apiVersion'])
  const { namespace } = object['metadata'] as Json
  const base = version === 'v1' ? '/api/v1' : `/apis/${version}`
  return `${base}${typeof namespace === 'string' ? `/namespaces/${namespace}` : ''}/${resource}`
}

function call(method: string, path: string, body?: unknown, type = 'application/json'): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const data = body === undefined ? '' : JSON.stringify(body)
  const headers = {
    authorization: `Bearer ${token}`,
    accept: 'application/json',
    'content-type': type,
    'content-length': Buffer.byteLength(data),
  }
  const sent = request(new URL(path, server), { method, headers, agent }, (response) => {
    const parts: Buffer[] = []
    response.on('data', (part: Buffer) => parts.push(part))
    response.on('end', () => {
      const text = Buffer.concat(parts).toString('utf8')
      resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Json })
    })
    response.on('error', reject)
  })
  sent.on('error', reject)
  sent.end(data)
  return promise
}
