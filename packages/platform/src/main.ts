/* The process of the platform: settings from the environment, ready and failed over IPC, ends when told or when its parent is gone. */
import { readFile } from 'node:fs/promises'

import { AppError, messageOf } from '@slipway/kit'
import { errorText } from '@slipway/messages'
import { pino } from 'pino'

import { startPlatform, type PlatformParts } from './platform.ts'
import { readSettings } from './settings.ts'

async function main(): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'disconnect']) process.once(signal, () => resolve())
  })
  // A parent that is gone reads no log; that must not end us in the middle of stopping.
  process.stderr.on('error', () => undefined)
  const settings = await readSettings(process.env, (path) => readFile(path, 'utf8'))
  const output = pino.destination({ dest: 2, sync: false })
  output.on('error', () => undefined)
  const log = pino(
    { level: settings.logLevel, redact: ['req.headers.authorization', 'req.headers.cookie'] },
    output,
  )
  const onSample: PlatformParts['onSample'] = ({ url, trouble }): void => {
    process.send?.({ type: 'sample', sampleUrl: url, trouble })
  }
  await using platform = await startPlatform(settings, { log, onSample })
  process.send?.({ type: 'ready', url: platform.url, firstRunToken: platform.firstRunToken })
  await ended
}

try {
  await main()
  process.exit(0)
} catch (thrown) {
  const error = thrown instanceof AppError ? errorText('en', thrown.code, thrown.params) : messageOf(thrown)
  process.stderr.write(
    `${JSON.stringify({ level: 'fatal', msg: 'the platform cannot run', error, detail: thrown instanceof Error ? thrown.stack : undefined })}\n`,
  )
  const refusal = thrown instanceof AppError ? { code: thrown.code, params: thrown.params } : {}
  process.send?.({ type: 'failed', error, ...refusal })
  process.exit(1)
}
