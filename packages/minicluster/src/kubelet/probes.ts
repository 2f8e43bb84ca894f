/*
 * The probes of one running container. The startup probe comes first and holds the others back; a failed startup or liveness
 * probe asks for a restart; readiness goes up and down. Thresholds are counted by `countProbe`, which is pure.
 */
import { errorOf, type Clock } from '@slipway/kit'

import type { Log } from '../model.ts'
import type { Container, Probe } from './model.ts'
import { checkProbe, type ProbeResult, type ProbeTarget } from './probe-check.ts'

export type ProbeKind = 'startup' | 'readiness' | 'liveness'

export type ProbeCount = {
  readonly successes: number
  readonly failures: number
  readonly healthy: boolean | undefined
}

/** Counts a result in; `healthy` changes only when its threshold is reached in a row. */
export function countProbe(before: ProbeCount, ok: boolean, probe: Probe): ProbeCount {
  const successes = ok ? before.successes + 1 : 0
  const failures = ok ? 0 : before.failures + 1
  const healthy =
    successes >= (probe.successThreshold ?? 1)
      ? true
      : failures >= (probe.failureThreshold ?? 3)
        ? false
        : before.healthy
  return { successes, failures, healthy }
}

export type ProbeState = { readonly started: boolean; readonly ready: boolean }

export type Prober = Disposable & { readonly state: () => ProbeState }

/** Begins probing a container that has just started, or that was adopted with `initial` state. */
export function startProbing(options: {
  readonly target: ProbeTarget
  readonly startedAtMs: number
  readonly initial: ProbeState | undefined
  readonly clock: Clock
  readonly log: Log
  readonly onChange: () => void
  readonly onFailure: (kind: ProbeKind, result: ProbeResult) => void
  /** A restart is due. */
  readonly onDead: (kind: ProbeKind, probe: Probe) => void
}): Prober {
  const { target, clock, log } = options
  const { container } = target
  const controller = new AbortController()
  const { signal } = controller
  let state = firstState(container, options.initial)

  function setState(next: ProbeState): void {
    if (next.started === state.started && next.ready === state.ready) return
    state = next
    options.onChange()
  }

  async function run(kind: ProbeKind, probe: Probe): Promise<'passed' | 'dead'> {
    const firstMs = options.startedAtMs + (probe.initialDelaySeconds ?? 0) * 1_000
    await clock.sleep(Math.max(0, firstMs - clock.now().getTime()), signal)
    const initiallyReady = kind === 'readiness' && state.ready
    let count: ProbeCount = { successes: 0, failures: 0, healthy: initiallyReady ? true : undefined }
    for (;;) {
      const result = await checkProbe(target, probe)
      signal.throwIfAborted()
      count = countProbe(count, result.ok, probe)
      if (!result.ok) options.onFailure(kind, result)
      if (kind === 'readiness') setState({ ...state, ready: count.healthy === true })
      else if (count.healthy === false) {
        options.onDead(kind, probe)
        return 'dead'
      } else if (kind === 'startup' && count.healthy === true) return 'passed'
      await clock.sleep((probe.periodSeconds ?? 10) * 1_000, signal)
    }
  }

  async function runAll(): Promise<void> {
    if (container.startupProbe && !state.started) {
      if ((await run('startup', container.startupProbe)) === 'dead') return
      setState({ started: true, ready: container.readinessProbe === undefined })
    }
    const running: Promise<unknown>[] = []
    if (container.readinessProbe) running.push(run('readiness', container.readinessProbe))
    if (container.livenessProbe) running.push(run('liveness', container.livenessProbe))
    await Promise.all(running)
  }

  runAll().catch((error: unknown) => {
    if (!signal.aborted)
      log('error', 'probing a container failed', { container: container.name, error: errorOf(error).message })
  })

  return { state: () => state, [Symbol.dispose]: () => controller.abort(new Error('the container ended')) }
}

/** Without a startup probe a container has started; without a readiness probe it is then ready. */
function firstState(container: Container, initial: ProbeState | undefined): ProbeState {
  const started = container.startupProbe === undefined || initial?.started === true
  return { started, ready: started && (container.readinessProbe === undefined || initial?.ready === true) }
}
