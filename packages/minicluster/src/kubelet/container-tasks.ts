/*
 * The steps a pod's worker may begin for its containers: start, stop, kill, adopt. Each runs to its end on its own and wakes the
 * worker; at most one per container is under way. An exit is noticed here, whoever caused it.
 */
import { messageOf, must } from '@slipway/kit'

import { declaredPorts } from './addresses.ts'
import type { Agent } from './agent.ts'
import {
  adoptContainer,
  concludeContainer,
  forgetOldAttempts,
  hasBegun,
  probeTarget,
  signalApplication,
  startContainer,
  type Live,
} from './container.ts'
import { runHook } from './hooks.ts'
import { isolationDepth } from './isolation.ts'
import {
  containersOf,
  isAlive,
  SetupError,
  SHUTDOWN_REASON,
  without,
  type Container,
  type ContainerRecord,
  type Pod,
  type PodRecord,
} from './model.ts'
import { placeMarker, prepareContainer, type Place } from './prepare.ts'
import { hasBackoff, nextAttempt, restartDelayMs, withoutBackoff } from './plan.ts'
import { startProbing, type ProbeState, type Prober } from './probes.ts'

export type ContainerTasks = {
  readonly lives: () => ReadonlyMap<string, Live>
  readonly started: () => ReadonlySet<string>
  readonly ready: () => ReadonlySet<string>
  readonly anyAlive: () => boolean
  readonly anyUnderway: () => boolean
  readonly start: (container: string) => void
  readonly stop: (container: string) => void
  readonly kill: (container: string, ended: NonNullable<ContainerRecord['ended']>) => void
  /** Gives up starts that have not reached a process yet. */
  readonly abortStarts: () => void
  /** Lets containers that wait after a failed setup try again at once. */
  readonly retrySetups: () => void
  readonly adopt: () => Promise<void>
  readonly shutDown: () => Promise<void>
  /** Lets go of everything without touching the processes. */
  readonly detach: () => Promise<void>
}

type Options = {
  readonly agent: Agent
  readonly record: () => PodRecord
  readonly pod: () => Pod | undefined
  readonly update: (change: (before: PodRecord) => PodRecord) => Promise<void>
  /** Monotonic time at which a container that began to end at `beganMs` is killed; asked again and again. */
  readonly graceDeadline: (beganMs: number) => number
  readonly wake: () => void
  readonly initialState: (container: string) => ProbeState | undefined
}

const SIGNAL_RETRY_MS = 20
const STOP_POLL_MS = 200
/** Between leaving the rotation and SIGTERM, for containers with ports. */
const LEAVING_MS = 150
/** What a container gets after its preStop hook used up the grace period. */
const AFTER_HOOK_MS = 2_000
const POST_START_MAX_MS = 3_600_000
const SETUP_DELAY_MAX_MS = 300_000
const CONFIG_DELAY_MAX_MS = 10_000

export function createContainerTasks(options: Options): ContainerTasks {
  const { agent, update, wake } = options
  const { clock, log, events } = agent
  const lives = new Map<string, Live>()
  const probers = new Map<string, Prober>()
  const underway = new Map<string, Promise<void>>()
  const exits = new Map<string, Promise<void>>()
  const starts = new Map<string, AbortController>()
  /** Aborted when the agent leaves: postStart hooks may take an hour. */
  const hooks = new AbortController()
  let detached = false
  const leaving = Promise.withResolvers<undefined>()
  const hasLeft = (): boolean => detached

  function stateOf(name: string): ContainerRecord {
    return must(options.record().containers[name], 'a container of the pod has a record')
  }

  function patch(name: string, change: (before: ContainerRecord) => ContainerRecord): Promise<void> {
    return update((before) => ({
      ...before,
      containers: {
        ...before.containers,
        [name]: change(must(before.containers[name], 'the container is recorded')),
      },
    }))
  }

  function placeOf(name: string): Place {
    const pod = options.pod()
    const container: Container = pod
      ? (containersOf(pod.spec ?? { containers: [] }).find((part) => part.container.name === name)
          ?.container ?? { name })
      : { name }
    return {
      agent,
      pod: pod ?? podOfRecord(options.record()),
      record: options.record(),
      container,
      state: stateOf(name),
    }
  }

  function report(type: 'Normal' | 'Warning', reason: string, message: string, container?: string): void {
    const pod = options.pod()
    if (pod) events.report(pod, { type, reason, message, ...(container === undefined ? {} : { container }) })
  }

  /** Runs one step of a container; never rejects. */
  function begin(name: string, step: () => Promise<void>): void {
    const task = step()
      .catch((error: unknown) =>
        log('error', 'a container step failed', { container: name, error: messageOf(error) }),
      )
      .finally(() => {
        underway.delete(name)
        wake()
      })
    underway.set(name, task)
  }

  async function start(name: string): Promise<void> {
    const controller = new AbortController()
    const { signal } = controller
    starts.set(name, controller)
    try {
      if (stateOf(name).phase === 'exited') await patch(name, (before) => nextAttempt(before, agent.periods))
      await forgetOldAttempts(agent, options.record(), stateOf(name))
      const before = placeOf(name)
      using image = await agent.images.ensure(
        before.pod,
        before.container,
        {
          pulling: () => report('Normal', 'Pulling', `Pulling image "${before.container.image}"`, name),
          pulled: (message) => report('Normal', 'Pulled', message, name),
        },
        signal,
      )
      const prepared = await prepareContainer(placeOf(name), image)
      signal.throwIfAborted()
      await patch(name, (record) => ({
        ...without(record, 'waiting', 'ended', 'wrapper', 'setupNotBefore'),
        phase: 'starting',
        // The process that holds a terminal stands in between as well.
        depth: isolationDepth(options.record().isolation) + (before.container.tty === true ? 1 : 0),
        port: prepared.port,
        imageId: image.imageId,
        startedAt: clock.now().toISOString(),
        setupFailures: 0,
      }))
      report('Normal', 'Created', `Container created: ${name}`, name)
      const live = await startContainer(placeOf(name), prepared)
      lives.set(name, live)
      await patch(name, (record) => ({ ...record, phase: 'running', wrapper: live.wrapper }))
      await run(name, live, undefined)
    } catch (error) {
      if (signal.aborted && !(error instanceof SetupError)) return
      await setupFailed(name, error)
    } finally {
      starts.delete(name)
    }
  }

  async function run(name: string, live: Live, initial: ProbeState | undefined): Promise<void> {
    lives.set(name, live)
    exits.set(
      name,
      watchExit(name, live).catch((error: unknown) =>
        log('error', 'concluding a container failed', { container: name, error: messageOf(error) }),
      ),
    )
    if (initial === undefined) {
      report('Normal', 'Started', `Container started: ${name}`, name)
      const problem = await runPostStart(name, live)
      if (problem !== undefined) {
        report('Warning', 'FailedPostStartHook', `PostStartHook failed: ${problem}`, name)
        await agent.processes.killAll((marker) => marker === live.marker)
        return
      }
    }
    if (lives.get(name) === live && !detached) probers.set(name, probe(name, live, initial))
    wake()
  }

  /** Undefined also when the container ended or the agent leaves: the hook ends then, even one that was only about to begin. */
  async function runPostStart(name: string, live: Live): Promise<string | undefined> {
    const hook = placeOf(name).container.lifecycle?.postStart
    if (!hook) return undefined
    const ended = new AbortController()
    void live.gone.then(() => ended.abort(new Error('the container has ended')))
    const signal = AbortSignal.any([ended.signal, hooks.signal])
    const problem = await runHook(probeTarget(placeOf(name), live), hook, {
      timeoutMs: POST_START_MAX_MS,
      signal,
    })
    return signal.aborted ? undefined : problem
  }

  function probe(name: string, live: Live, initial: ProbeState | undefined): Prober {
    const place = placeOf(name)
    return startProbing({
      target: probeTarget(place, live),
      startedAtMs: Date.parse(place.state.startedAt ?? '') || clock.now().getTime(),
      initial,
      clock,
      log,
      onChange: wake,
      onFailure: (kind, result) =>
        report(
          'Warning',
          'Unhealthy',
          `${kind.charAt(0).toUpperCase()}${kind.slice(1)} probe failed: ${result.message}`,
          name,
        ),
      onDead(kind, failed) {
        report('Normal', 'Killing', `Container ${name} failed ${kind} probe, will be restarted`, name)
        const graceSeconds = failed.terminationGracePeriodSeconds
        if (!underway.has(stopKey(name)))
          begin(stopKey(name), () =>
            stop(name, { graceMs: graceSeconds === undefined ? Infinity : graceSeconds * 1_000 }),
          )
      },
    })
  }

  async function watchExit(name: string, live: Live): Promise<void> {
    await live.gone
    endProbing(name)
    if (detached) return
    const holder = heldElsewhere(name, live)
    await conclude(name, live)
    lives.delete(name)
    if (holder !== undefined && stateOf(name).exit?.exitCode !== 0)
      report('Warning', 'PortInUse', holder, name)
    const delayMs = restartDelayMs(stateOf(name), agent.periods)
    const pod = options.pod()
    if (delayMs > 0 && pod && !pod.metadata.deletionTimestamp && pod.spec?.restartPolicy !== 'Never')
      report(
        'Warning',
        'BackOff',
        `Back-off restarting failed container ${name} in pod ${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`,
        name,
      )
    wake()
  }

  async function conclude(name: string, live: Live | undefined): Promise<void> {
    const { exit, leftBehind } = await concludeContainer(placeOf(name), live)
    if (live && leftBehind > 0 && !stateOf(name).ended && !underway.has(stopKey(name)))
      report(
        'Warning',
        'ProcessesLeft',
        `Container ${name} ended and left ${leftBehind} ${leftBehind === 1 ? 'process' : 'processes'} behind, which had to end with it: an Instance lasts as long as the program it is started with, so let that stay in the foreground`,
        name,
      )
    await patch(name, (before) => ({ ...without(before, 'wrapper'), phase: 'exited', exit }))
  }

  /** Another Instance that holds a declared port on all addresses: then this one, which insists on it, cannot run. */
  function heldElsewhere(name: string, live: Live): string | undefined {
    for (const port of declaredPorts(placeOf(name).container)) {
      const holder = agent.network.findHolder(port, live.marker)
      if (holder !== undefined)
        return `Port ${port} is held on all addresses by pod ${agent.podNameOf(holder)}. An application that insists on a fixed port can run only once on this node: let it listen at $PORT, or at $HOST`
    }
    return undefined
  }

  async function setupFailed(name: string, error: unknown): Promise<void> {
    const live = lives.get(name)
    if (live) {
      // It runs but could not be recorded: what nobody knows of must not go on.
      await agent.processes.killAll((marker) => marker === live.marker)
      lives.delete(name)
    }
    const setup =
      error instanceof SetupError ? error : new SetupError('CreateContainerError', messageOf(error))
    const at = clock.now()
    if (setup.reason === 'RunContainerError') {
      report('Warning', 'Failed', `Error: ${setup.message}`, name)
      const state = stateOf(name)
      const exit = {
        exitCode: 128,
        reason: 'StartError',
        message: setup.message,
        startedAt: at.toISOString(),
        finishedAt: at.toISOString(),
        containerId: `process://${placeMarker({ agent, record: options.record(), state })}`,
      }
      await patch(name, (before) => ({ ...before, phase: 'exited', exit }))
      return
    }
    const isPull = setup.reason === 'ErrImagePull'
    report('Warning', setup.eventReason, isPull ? setup.message : `Error: ${setup.message}`, name)
    if (isPull) report('Normal', 'BackOff', `Back-off pulling image "${placeOf(name).container.image}"`, name)
    await patch(name, (before) => {
      const maxMs = isPull ? SETUP_DELAY_MAX_MS : CONFIG_DELAY_MAX_MS
      const delayMs = Math.min(agent.periods.restartFirstMs * 2 ** Math.min(before.setupFailures, 20), maxMs)
      return {
        ...before,
        phase: 'waiting',
        setupFailures: before.setupFailures + 1,
        setupNotBefore: new Date(at.getTime() + delayMs).toISOString(),
        waiting: {
          reason: isPull ? 'ImagePullBackOff' : setup.reason,
          message: isPull
            ? `Back-off pulling image "${placeOf(name).container.image}": ErrImagePull: ${setup.message}`
            : setup.message,
        },
      }
    })
  }

  /** Ends a container; `restart` says that a failed probe asked for it, with the probe's own grace period. */
  async function stop(name: string, restart?: { readonly graceMs: number }): Promise<void> {
    const live = lives.get(name)
    if (!live) return
    endProbing(name)
    const beganMs = clock.monotonicMs()
    const deadline = (): number =>
      Math.min(options.graceDeadline(beganMs), beganMs + (restart?.graceMs ?? Infinity))
    if (!restart) report('Normal', 'Killing', `Stopping container ${name}`, name)
    const hook = placeOf(name).container.lifecycle?.preStop
    let latestMs = 0
    if (hook && deadline() > beganMs) {
      const hookRun = runHook(probeTarget(placeOf(name), live), hook, {
        timeoutMs: deadline() - beganMs,
      })
      const problem = await Promise.race([hookRun, leaving.promise])
      if (problem !== undefined)
        report('Warning', 'FailedPreStopHook', `PreStopHook failed: ${problem}`, name)
      latestMs = clock.monotonicMs() + AFTER_HOOK_MS
    }
    // Requests that were on their way when the pod left the rotation are accepted before the application stops listening.
    const isServing = (placeOf(name).container.ports ?? []).length > 0
    if (!restart && isServing && deadline() > clock.monotonicMs())
      await Promise.race([
        live.gone,
        clock.sleep(Math.min(LEAVING_MS, deadline() - clock.monotonicMs())),
        leaving.promise,
      ])
    let signalled = false
    while (lives.get(name) === live && !hasLeft() && clock.monotonicMs() < Math.max(deadline(), latestMs)) {
      signalled ||= signalApplication(agent, live)
      await Promise.race([
        live.gone,
        clock.sleep(signalled ? STOP_POLL_MS : SIGNAL_RETRY_MS),
        leaving.promise,
      ])
      if (signalled) await Promise.race([exits.get(name), clock.sleep(SIGNAL_RETRY_MS)])
    }
    // The agent leaves and keeps what runs: the next one goes on with the end of this pod.
    if (detached) return
    if (lives.get(name) === live) await agent.processes.killAll((marker) => marker === live.marker)
    await exits.get(name)
  }

  function endProbing(name: string): void {
    probers.get(name)?.[Symbol.dispose]()
    probers.delete(name)
  }

  async function adoptOne(name: string): Promise<void> {
    const state = stateOf(name)
    if (!isAlive(state)) return
    const { record } = placeOf(name)
    const live = record.bootId === agent.bootId ? await adoptContainer(placeOf(name)) : undefined
    if (live) {
      await patch(name, (before) => ({ ...before, phase: 'running', wrapper: live.wrapper }))
      await run(name, live, options.initialState(name) ?? { started: true, ready: false })
      return
    }
    // Recorded before anything ran, and nothing ran: it is simply still to be started.
    if (state.phase === 'starting' && !hasBegun(placeOf(name))) {
      await patch(name, (before) => ({ ...before, phase: 'waiting' }))
      return
    }
    await conclude(name, undefined)
  }

  return {
    lives: () => lives,
    started: () => namesWith((state) => state.started),
    ready: () => namesWith((state) => state.ready),
    anyAlive: () => Object.values(options.record().containers).some(isAlive),
    anyUnderway: () => underway.size > 0,
    start(name) {
      if (!underway.has(name) && !underway.has(stopKey(name)) && !detached) begin(name, () => start(name))
    },
    stop(name) {
      starts.get(name)?.abort(new Error('the pod is ending'))
      // A start that has come as far as a process may still run its postStart hook: that does not hold up the end.
      if (lives.has(name) && !underway.has(stopKey(name)) && !detached) begin(stopKey(name), () => stop(name))
    },
    kill(name, ended) {
      const live = lives.get(name)
      if (!live || stateOf(name).ended) return
      patch(name, (before) => ({ ...before, ended }))
        .then(() => agent.processes.killAll((marker) => marker === live.marker))
        .catch((error: unknown) =>
          log('error', 'killing a container failed', { container: name, error: messageOf(error) }),
        )
    },
    abortStarts() {
      for (const controller of starts.values()) controller.abort(new Error('the pod is ending'))
    },
    retrySetups() {
      for (const state of Object.values(options.record().containers)) {
        if (
          state.phase !== 'waiting' ||
          state.setupNotBefore === undefined ||
          state.waiting?.reason === 'ImagePullBackOff'
        )
          continue
        patch(state.name, (before) => without(before, 'setupNotBefore')).then(wake, (error: unknown) =>
          log('warn', 'a container record was not saved', { error: messageOf(error) }),
        )
      }
    },
    async adopt() {
      if (Object.values(options.record().containers).some(hasBackoff)) await update(withoutBackoff)
      for (const name of Object.keys(options.record().containers)) await adoptOne(name)
      if (options.record().bootId !== agent.bootId)
        await update((before) => ({ ...before, bootId: agent.bootId }))
    },
    async shutDown() {
      hooks.abort(new Error('the node agent stops'))
      for (const controller of starts.values()) controller.abort(new Error('the node agent stops'))
      await Promise.all(underway.values())
      for (const [name] of lives)
        await patch(name, (before) => ({
          ...before,
          ended: { reason: SHUTDOWN_REASON, message: 'the node agent was stopped' },
        }))
      await Promise.all([...lives.keys()].map((name) => stop(name)))
    },
    async detach() {
      detached = true
      leaving.resolve(undefined)
      hooks.abort(new Error('the node agent stops'))
      for (const controller of starts.values()) controller.abort(new Error('the node agent stops'))
      await Promise.all(underway.values())
      for (const name of probers.keys()) endProbing(name)
      for (const live of lives.values()) await live.output[Symbol.asyncDispose]()
    },
  }

  function namesWith(holds: (state: ProbeState) => boolean): ReadonlySet<string> {
    return new Set([...probers].filter(([, prober]) => holds(prober.state())).map(([name]) => name))
  }
}

/** Starting and stopping may overlap: each has its own place among the steps under way. */
function stopKey(name: string): string {
  return `stop ${name}`
}

/** Stands for a pod that was deleted while no agent ran: enough to end its processes. */
function podOfRecord(record: PodRecord): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: record.name,
      namespace: record.namespace,
      uid: record.uid,
      resourceVersion: '',
      creationTimestamp: record.startTime,
    },
    spec: { containers: Object.keys(record.containers).map((name) => ({ name })) },
  }
}
