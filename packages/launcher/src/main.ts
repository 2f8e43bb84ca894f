import { AppError, messageOf } from '@slipway/kit'
import { errorText } from '@slipway/messages'

import { HELP, parseOptions, UsageError } from './options.ts'
import { startLines, startPage } from './page.ts'
import { start } from './start.ts'

const write = (fields: object, message: string): void => {
  process.stderr.write(`${JSON.stringify({ msg: message, ...fields })}\n`)
}
const log = { info: (): void => undefined, warn: write, error: write }

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2))
  if (options === 'help') {
    process.stdout.write(HELP)
    return 0
  }
  const told = new Promise<undefined>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => resolve(undefined))
  })
  await using running = await start(options, process.env, log)
  const show = process.stdout.isTTY ? startPage : startLines
  process.stdout.write(show(running.info, running.runFile))
  const broken = await Promise.race([told, running.broken])
  if (broken === undefined) return 0
  process.stderr.write(`slipway: ${broken}; stopping\n`)
  return 1
}

try {
  process.exitCode = await main()
} catch (thrown) {
  const text = thrown instanceof AppError ? errorText('en', thrown.code, thrown.params) : messageOf(thrown)
  process.stderr.write(`slipway: ${text}\n`)
  process.exitCode = thrown instanceof UsageError ? 2 : 1
}
