/*
 * The process of the platform: settings from the environment, ready and failed over IPC, ends when told or when its parent is gone.
 * With the word first-run-token it only prints a new one, for installations that no launcher has started.
 */
import { readFile } from 'node:fs/promises'

import { AppError, messageOf, SECOND_MS, systemClock } from '@slipway/kit'
import { errorText } from '@slipway/messages'
import { pino } from 'pino'

import { newFirstRunToken } from './first-run.ts'
import { logOutput, type LogOutput } from './log-output.ts'
import { startPlatform, type PlatformParts } from './platform.ts'
import { readSettings } from './settings.ts'

/** A launcher that is gone cannot kill what hangs while it ends, so the time for that is limited here. */
const STOP_MAX_MS = 25 * SECOND_MS

async function main(output: LogOutput): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'disconnect']) process.once(signal, () => resolve())
  })
  const settings = await readSettings(process.env, (path) => readFile(path, 'utf8'))
  const log = pino(
    { level: settings.logLevel, redact: ['req.headers.authorization', 'req.headers.cookie'] },
    output,
  )
  if (process.argv[2] === 'first-run-token') {
    process.stdout.write(`${await newFirstRunToken(settings, log)}\n`)
    return
  }
  const onSample: PlatformParts['onSample'] = ({ url, trouble }): void => {
    tellParent({ type: 'sample', sampleUrl: url, trouble })
  }
  await using platform = await startPlatform(settings, { log, onSample })
  tellParent({ type: 'ready', url: platform.url, firstRunToken: platform.firstRunToken })
  await ended
  systemClock.after(STOP_MAX_MS, () => {
    log.error({ resources: process.getActiveResourcesInfo() }, 'stopping takes too long and is given up')
    process.exit(1)
  })
}

/** Without a callback, a parent that has just gone would make an uncaught error of it. */
function tellParent(message: object): void {
  process.send?.(message, undefined, undefined, () => undefined)
}

const output = logOutput(process.stderr)
try {
  await main(output)
  await output.drain()
  process.exit(0)
} catch (thrown) {
  const error = thrown instanceof AppError ? errorText('en', thrown.code, thrown.params) : messageOf(thrown)
  process.stderr.write(
    `${JSON.stringify({ level: 'fatal', msg: 'the platform cannot run', error, detail: thrown instanceof Error ? thrown.stack : undefined })}\n`,
  )
  const refusal = thrown instanceof AppError ? { code: thrown.code, params: thrown.params } : {}
  tellParent({ type: 'failed', error, ...refusal })
  process.exit(1)
}
