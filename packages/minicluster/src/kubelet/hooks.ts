/** Life-cycle hooks: exec, httpGet and sleep. Says why one failed, or nothing. */
import { messageOf } from '@slipway/kit'

import type { Container } from './model.ts'
import { callHook, type ProbeTarget } from './probe-check.ts'
import { runInside } from './run-inside.ts'

type Hook = NonNullable<NonNullable<Container['lifecycle']>['preStop']>

type Limits = {
  readonly timeoutMs: number
  /** Ends the hook before its time, with everything it started. */
  readonly signal?: AbortSignal
}

export async function runHook(
  target: ProbeTarget,
  hook: Hook,
  { timeoutMs, signal }: Limits,
): Promise<string | undefined> {
  if (hook.sleep) {
    // Ended before its time, it has not failed.
    await target.clock.sleep(Math.min(hook.sleep.seconds * 1_000, timeoutMs), signal).catch(() => undefined)
    return undefined
  }
  if (hook.httpGet) {
    const answer = await Promise.race([callHook(target, hook.httpGet, timeoutMs), abortOf(signal)])
    return answer === undefined || answer.ok ? undefined : answer.message
  }
  if (!hook.exec) return 'only exec, httpGet and sleep hooks are supported by the process runtime'
  const command = hook.exec.command ?? []
  try {
    const { exitCode, output, timedOut } = await runInside({
      inside: target.inside,
      command,
      clock: target.clock,
      timeoutMs,
      ...(signal ? { signal } : {}),
    })
    if (timedOut) return `command "${command.join(' ')}" timed out after ${timeoutMs} ms`
    return exitCode === 0
      ? undefined
      : `command "${command.join(' ')}" exited with ${exitCode}: ${output.trim()}`
  } catch (error) {
    return messageOf(error)
  }
}

function abortOf(signal: AbortSignal | undefined): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve(undefined)
    else signal?.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}
