import { AppError, messageOf, type Clock } from '@slipway/kit'

import { startChild, type Child, type ChildMessage, type ChildOptions } from './child.ts'
import { launcherErrors } from './errors.ts'
import { planRestart, RESTARTS_MAX } from './restart-plan.ts'

export type Supervision = {
  readonly clock: Clock
  readonly options: ChildOptions
  /** Called at every start, the first one included. */
  readonly onStarted: (child: Child) => Promise<void>
  /** Called when it ended by itself, before it is started again. */
  readonly onEnded: (how: string) => void
}

/** A child that is started again when it ends by itself. */
export type Supervised = AsyncDisposable & {
  /** What it said when it was ready the last time. */
  readonly ready: () => ChildMessage
  /** Resolves with the reason when it is not started again any more; never when it was told to stop. */
  readonly gaveUp: Promise<AppError>
}

/** @throws {AppError} when the first start fails; nothing is left running then */
export async function supervise(supervision: Supervision, signal: AbortSignal): Promise<Supervised> {
  const { clock, options, onStarted, onEnded } = supervision
  const stopping = new AbortController()
  let child = await startChild(options, signal)
  let { ready } = child
  const restartsAtMs: number[] = []
  let giveUp: (why: AppError) => void = () => undefined
  const gaveUp = new Promise<AppError>((resolve) => (giveUp = resolve))

  async function watchOver(): Promise<void> {
    for (let how = await child.ended; !stopping.signal.aborted;) {
      const step = planRestart(restartsAtMs, clock.monotonicMs())
      if (step.kind === 'give-up') {
        giveUp(
          launcherErrors.part_gave_up({
            part: options.name,
            count: RESTARTS_MAX + 1,
            how,
            log: options.log.path,
          }),
        )
        return
      }
      onEnded(how)
      await clock.sleep(step.afterMs, stopping.signal)
      restartsAtMs.push(clock.monotonicMs())
      how = await runAgain()
    }
  }

  /** Resolves when the child has ended again, or did not even start. */
  async function runAgain(): Promise<string> {
    try {
      child = await startChild(options, stopping.signal)
    } catch (thrown) {
      return messageOf(thrown)
    }
    ready = child.ready
    await onStarted(child)
    return await child.ended
  }

  await onStarted(child)
  const watching = watchOver().catch((thrown: unknown) => {
    // Being told to stop while waiting is the one way this ends early.
    if (!stopping.signal.aborted) giveUp(asRefusal(options, thrown))
  })
  return {
    ready: () => ready,
    gaveUp,
    async [Symbol.asyncDispose]() {
      stopping.abort(new Error(`the ${options.name} is being stopped`))
      await child[Symbol.asyncDispose]()
      // A start that was under way is given up and ends first.
      await watching
      await child[Symbol.asyncDispose]()
    },
  }
}

function asRefusal({ name, log }: ChildOptions, thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown
  return launcherErrors.part_failed({ part: name, reason: messageOf(thrown), log: log.path })
}
