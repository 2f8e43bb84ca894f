/** Life-cycle hooks: exec, httpGet and sleep. Says why one failed, or nothing. */
import { messageOf } from '@slipway/kit'

import type { Container } from './model.ts'
import { callHook, type ProbeTarget } from './probe-check.ts'
import { runInside } from './run-inside.ts'

type Hook = NonNullable<NonNullable<Container['lifecycle']>['preStop']>

export async function runHook(
  target: ProbeTarget,
  hook: Hook,
  timeoutMs: number,
): Promise<string | undefined> {
  if (hook.sleep) {
    await target.clock.sleep(Math.min(hook.sleep.seconds * 1_000, timeoutMs))
    return undefined
  }
  if (hook.httpGet) {
    const { ok, message } = await callHook(target, hook.httpGet, timeoutMs)
    return ok ? undefined : message
  }
  if (!hook.exec) return 'only exec, httpGet and sleep hooks are supported by the process runtime'
  const command = hook.exec.command ?? []
  try {
    const { exitCode, output, timedOut } = await runInside({
      inside: target.inside,
      command,
      clock: target.clock,
      timeoutMs,
    })
    if (timedOut) return `command "${command.join(' ')}" timed out after ${timeoutMs} ms`
    return exitCode === 0
      ? undefined
      : `command "${command.join(' ')}" exited with ${exitCode}: ${output.trim()}`
  } catch (error) {
    return messageOf(error)
  }
}
