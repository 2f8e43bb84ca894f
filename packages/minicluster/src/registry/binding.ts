import { statusErrors, StatusError } from '../errors.ts'
import type { AnyObject } from '../model.ts'
import { listOf, objectOf, textOf, type JsonObject } from '../schema/json.ts'
import { timeText } from './deletion.ts'
import type { Target } from './incoming.ts'

/**
 * The pod on the node that a Binding names.
 * @throws {StatusError} 409 when it has one already, is going or is another pod; 422 without a node
 */
export function boundPod(target: Target, pod: AnyObject, binding: JsonObject, now: Date): AnyObject {
  const { name } = target
  const spec = objectOf(pod['spec'])
  const conflict = (why: string): StatusError =>
    new StatusError(409, 'Conflict', `Operation cannot be fulfilled on pods/binding "${name}": ${why}`, {
      name,
      kind: 'pods/binding',
    })
  const sent = objectOf(binding['metadata'])
  const node = textOf(objectOf(binding['target'])['name'])
  if (node === '')
    throw statusErrors.invalid('Binding', '', name, [
      { reason: 'FieldValueRequired', message: 'Required value', field: 'target.name' },
    ])
  if (textOf(sent['uid']) !== '' && sent['uid'] !== pod.metadata.uid)
    throw conflict(
      `Precondition failed: UID in precondition: ${textOf(sent['uid'])}, UID in object meta: ${pod.metadata.uid}`,
    )
  if (pod.metadata.deletionTimestamp !== undefined)
    throw conflict(`pod ${name} is being deleted, cannot be assigned to a host`)
  if (textOf(spec['nodeName']) !== '')
    throw conflict(`pod ${name} is already assigned to node "${textOf(spec['nodeName'])}"`)
  const status = objectOf(pod['status'])
  const others = listOf(status['conditions']).filter((one) => objectOf(one)['type'] !== 'PodScheduled')
  const scheduled = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: timeText(now),
  }
  return {
    ...pod,
    spec: { ...spec, nodeName: node },
    status: { ...status, conditions: [...others, scheduled] },
  }
}
