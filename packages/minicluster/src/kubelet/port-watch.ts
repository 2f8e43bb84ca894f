/** Says once per attempt when a container runs but does not listen where its ports were declared. */
import { declaredPorts, listenersText, portsMap } from './addresses.ts'
import type { Agent } from './agent.ts'
import type { PodWorker } from './pod-worker.ts'

const reported = new WeakMap<object, true>()

export function reportSilentPorts(agent: Agent, worker: PodWorker): void {
  const pod = worker.pod()
  if (!pod || pod.metadata.deletionTimestamp) return
  for (const container of pod.spec?.containers ?? []) {
    const live = worker.lives().get(container.name)
    const state = worker.record().containers[container.name]
    const [first] = declaredPorts(container)
    if (!live || !state || first === undefined || reported.has(live)) continue
    if (agent.clock.now().getTime() - (Date.parse(state.startedAt ?? '') || 0) < agent.periods.notListeningMs)
      continue
    reported.set(live, true)
    const listeners = agent.network.listenersOf(live.marker, (known) => known.length > 0)
    const served = Object.values(portsMap(declaredPorts(container), state.port, listeners))
    if (listeners.some((listener) => served.includes(listener.port))) continue
    const holder = agent.network.findHolder(first, live.marker)
    agent.events.report(pod, {
      type: 'Warning',
      reason: holder === undefined ? 'NotListening' : 'PortInUse',
      container: container.name,
      message:
        holder === undefined
          ? `Nothing listens at $PORT (${state.port}) or at the declared port ${first}: ${listenersText(listeners)}`
          : `Port ${first} is held on all addresses by pod ${agent.podNameOf(holder)}. An application that insists on a fixed port can run only once on this node: let it listen at $PORT, or at $HOST`,
    })
  }
}
