import { statusErrors } from '../errors.ts'
import type { AnyObject, NodeAgent, Usage } from '../model.ts'
import { timeText } from '../registry/deletion.ts'
import { definitionOf } from '../registry/resources.ts'
import type { JsonObject } from '../schema/json.ts'
import type { Store } from '../store/index.ts'
import { parseSelection } from './lists.ts'
import type { ApiRequest } from './route.ts'

const WINDOW = '15s'

/**
 * Answers metrics.k8s.io/v1beta1 from what the node agents measure now. A node whose agent fails is left out, as on a
 * real cluster when its kubelet does not answer.
 * @throws {StatusError} 404
 */
export async function answerUsage(
  api: ApiRequest,
  query: URLSearchParams,
  context: { readonly store: Store; readonly agents: () => readonly NodeAgent[] },
): Promise<JsonObject> {
  const resource = api.plural === 'nodes' ? 'nodes' : 'pods'
  const kind = api.plural === 'nodes' ? 'NodeMetrics' : 'PodMetrics'
  const { matches } = parseSelection(definitionOf(resource), query)
  const isWanted = (object: AnyObject | undefined): object is AnyObject =>
    object !== undefined &&
    (api.name === undefined || object.metadata.name === api.name) &&
    (matches?.(object) ?? true)
  const items =
    resource === 'nodes'
      ? await nodeMetrics(context, isWanted)
      : await podMetrics(context, api.namespace, isWanted)
  if (api.name === undefined)
    return { kind: `${kind}List`, apiVersion: 'metrics.k8s.io/v1beta1', metadata: {}, items }
  const [item] = items
  if (!item) throw statusErrors.notFound(`${resource}.metrics.k8s.io`, '', api.name)
  return item
}

type Context = { readonly store: Store; readonly agents: () => readonly NodeAgent[] }
type Wanted = (object: AnyObject | undefined) => object is AnyObject

async function nodeMetrics({ store, agents }: Context, isWanted: Wanted): Promise<JsonObject[]> {
  const results = await Promise.allSettled(
    agents().map(async (agent) => {
      const node = store.get('nodes', undefined, agent.nodeName)
      if (!isWanted(node)) return undefined
      const usage = await agent.nodeUsage()
      return { ...head('NodeMetrics', node, usage.at), usage: usageOf(usage) }
    }),
  )
  return fulfilled(results)
}

async function podMetrics(
  { store, agents }: Context,
  namespace: string | undefined,
  isWanted: Wanted,
): Promise<JsonObject[]> {
  const results = await Promise.allSettled(
    agents().map(async (agent) =>
      (await agent.podUsage()).flatMap((usage) => {
        if (namespace !== undefined && usage.namespace !== namespace) return []
        const pod = store.get('pods', usage.namespace, usage.pod)
        if (!isWanted(pod)) return []
        const containers = usage.containers.map((one) => ({ name: one.name, usage: usageOf(one) }))
        return [{ ...head('PodMetrics', pod, usage.at), containers }]
      }),
    ),
  )
  return fulfilled(results).flat()
}

function fulfilled<T>(results: readonly PromiseSettledResult<T | undefined>[]): T[] {
  return results.flatMap((result) =>
    result.status === 'fulfilled' && result.value !== undefined ? [result.value] : [],
  )
}

function head(kind: string, object: AnyObject, at: Date): JsonObject {
  const { name, namespace, labels } = object.metadata
  return {
    kind,
    apiVersion: 'metrics.k8s.io/v1beta1',
    metadata: { name, namespace, labels, creationTimestamp: timeText(at) },
    timestamp: timeText(at),
    window: WINDOW,
  }
}

function usageOf({ cpuCores, memoryBytes }: Usage): JsonObject {
  return { cpu: `${Math.round(cpuCores * 1e9)}n`, memory: `${Math.ceil(memoryBytes / 1024)}Ki` }
}
