import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { parseOptions } from './options.ts'

let folder: string
const children: ChildProcess[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-main-'))
  await chmod(folder, 0o711)
})
afterEach(async () => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

type Message = {
  readonly type: string
  readonly apiUrl?: string
  readonly gatewayUrl?: string
  readonly error?: string
}

function start(options: object): ChildProcess {
  const child = fork(join(import.meta.dirname, 'main.ts'), [JSON.stringify(options)], {
    execArgv: ['--conditions=source'],
    silent: true,
  })
  children.push(child)
  return child
}

const nextMessage = async (child: ChildProcess): Promise<Message> => {
  const [message] = (await once(child, 'message')) as [Message]
  return message
}

test('the process says when it is ready, keeps a second one off its folder, and ends with its parent', async () => {
  const options = { dataFolder: join(folder, 'cluster'), apiPort: 0, gatewayPort: 0 }
  const first = start(options)
  expect(await nextMessage(first)).toMatchObject({
    type: 'ready',
    apiUrl: expect.stringMatching(/^https:\/\/127\.0\.0\.1:[0-9]+$/) as string,
    gatewayUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:[0-9]+$/) as string,
  })
  const second = start(options)
  const [refusal] = await Promise.all([nextMessage(second), once(second, 'exit')])
  expect(refusal).toMatchObject({
    type: 'failed',
    error: 'minicluster_folder_in_use',
    params: { pid: first.pid },
  })
  const ended = once(first, 'exit')
  first.disconnect()
  expect(await ended).toEqual([0, null])
})

test('a lock left behind by a killed process does not keep the next one out', async () => {
  const options = { dataFolder: join(folder, 'cluster'), apiPort: 0, gatewayPort: 0 }
  const first = start(options)
  await nextMessage(first)
  const killed = once(first, 'exit')
  first.kill('SIGKILL')
  await killed
  const second = start(options)
  expect((await nextMessage(second)).type).toBe('ready')
  const ended = once(second, 'exit')
  second.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})

const bad: [text: string, message: string][] = [
  ['[]', 'the options are one JSON object'],
  ['{"apiPort":0,"gatewayPort":0}', 'option dataFolder is missing'],
  ['{"dataFolder":"x","apiPort":"0","gatewayPort":0}', 'option apiPort has the wrong type'],
  ['{"dataFolder":"x","apiPort":0,"gatewayPort":0,"nodes":3}', 'option nodes is unknown'],
]
test.each(bad)('options %s are refused: %s', (text, message) =>
  expect(() => parseOptions(text)).toThrow(message),
)
