import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { must } from '@slipway/kit'
import { expect, test } from 'vitest'

const module = pathToFileURL(join(import.meta.dirname, 'log-output.ts')).href
/** Logs as the platform does, and exits right after its last lines. */
const script = `
  import { pino } from 'pino'
  import { logOutput } from '${module}'
  const output = logOutput(process.stderr)
  const log = pino({ level: 'warn' }, output)
  process.once('SIGUSR2', async () => {
    for (let line = 0; line < 2_000; line += 1) log.warn('line ' + line)
    await output.drain()
    process.exit(0)
  })
  setInterval(() => undefined, 1_000)
  process.stdout.write('up')
`

function start() {
  const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', script], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return { child, out: must(child.stdout, 'a pipe'), err: must(child.stderr, 'a pipe') }
}

test('a process whose last lines nobody can read any more still exits', async () => {
  const { child, out, err } = start()
  await once(out, 'data')
  err.destroy()
  const ended = once(child, 'exit')
  child.kill('SIGUSR2')
  expect(await ended).toEqual([0, null])
})

test('a reader that is there gets every line before the exit', async () => {
  const { child, out, err } = start()
  await once(out, 'data')
  let text = ''
  err.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
  const closed = once(child, 'close')
  child.kill('SIGUSR2')
  expect(await closed).toEqual([0, null])
  expect(text.match(/"line \d+"/gu)).toHaveLength(2_000)
})
