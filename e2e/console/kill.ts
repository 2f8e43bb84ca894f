/* The end of a platform in mid work. */
import { systemClock, waitFor } from '@slipway/kit'
import { expect } from 'vitest'

import { findProcesses } from '../journey/product.ts'

const WAIT = { timeoutMs: 120_000 }

/** Kills the platform of a data folder. @returns its pid */
export async function killPlatform(home: string): Promise<number> {
  const pid = (await platformOf(home)) ?? 0
  expect(pid).toBeGreaterThan(0)
  process.kill(pid, 'SIGKILL')
  return pid
}

/** Kills it, and waits until another one has taken its place and answers at its address. */
export async function replacePlatform(home: string, url: string): Promise<void> {
  const killed = await killPlatform(home)
  const answers = async (): Promise<boolean> =>
    (await fetch(new URL('/v1/health', url)).catch(() => undefined))?.ok === true
  const isBack = async (): Promise<boolean> =>
    ![undefined, killed].includes(await platformOf(home)) && answers()
  await waitFor(systemClock, 'another platform to answer', isBack, WAIT)
}

async function platformOf(home: string): Promise<number | undefined> {
  return (await findProcesses(home)).find(({ command }) => command.includes('platform/src/main.ts'))?.pid
}
