import type { AnyObject } from '../model.ts'
import { listOf, objectOf, textOf, type JsonObject } from '../schema/json.ts'
import { ageText, conditionOf, conditionStatus, containersOf, numberAt, spec, status } from './cells.ts'

/** The cells of pods, whose words are put together from the states of their containers. */
const containerStatuses = (pod: AnyObject): JsonObject[] =>
  listOf(status(pod)['containerStatuses']).map(objectOf)
const initStatuses = (pod: AnyObject): JsonObject[] =>
  listOf(status(pod)['initContainerStatuses']).map(objectOf)

function isSidecar(pod: AnyObject, name: unknown): boolean {
  return listOf(spec(pod)['initContainers'])
    .map(objectOf)
    .some((one) => one['name'] === name && one['restartPolicy'] === 'Always')
}

export function podReady(pod: AnyObject): string {
  const sidecars = listOf(spec(pod)['initContainers'])
    .map(objectOf)
    .filter((one) => one['restartPolicy'] === 'Always')
  const statuses = [
    ...containerStatuses(pod),
    ...initStatuses(pod).filter((one) => isSidecar(pod, one['name'])),
  ]
  const readyCount = statuses.filter(
    (one) => one['ready'] === true && objectOf(one['state'])['running'] !== undefined,
  ).length
  return `${readyCount}/${containersOf(spec(pod)).length + sidecars.length}`
}

export function podRestarts(pod: AnyObject, now: Date): string {
  const statuses = [
    ...containerStatuses(pod),
    ...initStatuses(pod).filter((one) => isSidecar(pod, one['name'])),
  ]
  const count = statuses.reduce((sum, one) => sum + numberAt(one, 'restartCount'), 0)
  const last = statuses
    .map((one) => textOf(objectOf(objectOf(one['lastState'])['terminated'])['finishedAt']))
    .sort()
    .at(-1)
  return count === 0 || !last ? String(count) : `${count} (${ageText(last, now)} ago)`
}

export function podStatus(pod: AnyObject): string {
  const own = status(pod)
  let reason = textOf(own['reason']) || textOf(own['phase'])
  const scheduled = conditionOf(pod, 'PodScheduled')
  if (scheduled?.['reason'] === 'SchedulingGated') reason = 'SchedulingGated'
  const init = initReason(pod)
  reason = init ?? containerReason(pod, reason)
  if (pod.metadata.deletionTimestamp === undefined) return reason
  return own['reason'] === 'NodeLost' ? 'Unknown' : 'Terminating'
}

/** What holds the pod in its init containers, if something does. */
function initReason(pod: AnyObject): string | undefined {
  const containers = listOf(spec(pod)['initContainers'])
  for (const [index, one] of initStatuses(pod).entries()) {
    const state = objectOf(one['state'])
    const terminated = state['terminated'] === undefined ? undefined : objectOf(state['terminated'])
    if (terminated?.['exitCode'] === 0) continue
    if (isSidecar(pod, one['name']) && one['started'] === true) continue
    if (terminated) return `Init:${endReason(terminated)}`
    const waiting = textOf(objectOf(state['waiting'])['reason'])
    if (waiting !== '' && waiting !== 'PodInitializing') return `Init:${waiting}`
    return `Init:${index}/${containers.length}`
  }
  return undefined
}

function endReason(terminated: JsonObject): string {
  const reason = textOf(terminated['reason'])
  if (reason !== '') return reason
  const signal = numberAt(terminated, 'signal')
  return signal > 0 ? `Signal:${signal}` : `ExitCode:${numberAt(terminated, 'exitCode')}`
}

function containerReason(pod: AnyObject, phaseReason: string): string {
  let reason = phaseReason
  let running = false
  for (const one of containerStatuses(pod).reverse()) {
    const state = objectOf(one['state'])
    const waiting = textOf(objectOf(state['waiting'])['reason'])
    if (waiting !== '') reason = waiting
    else if (state['terminated'] !== undefined) reason = endReason(objectOf(state['terminated']))
    else if (one['ready'] === true && state['running'] !== undefined) running = true
  }
  if (reason === 'Completed' && running)
    return conditionStatus(pod, 'Ready') === 'True' ? 'Running' : 'NotReady'
  return reason
}
