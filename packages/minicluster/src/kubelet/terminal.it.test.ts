/** Containers that ask for a terminal. */
import { PassThrough } from 'node:stream'

import { systemClock, waitFor } from '@slipway/kit'
import { expect, test } from 'vitest'

import type { TerminalSize } from '../model.ts'
import { NAMESPACE, openStage, type Stage } from './testing.ts'

const reference = { namespace: NAMESPACE, pod: 'shell', container: 'main' }

/** A person at a terminal that is attached to the container, and what that person sees. */
function attach(stage: Stage, size: TerminalSize) {
  const [stdin, stdout, leaving] = [new PassThrough(), new PassThrough(), new AbortController()]
  let seen = ''
  stdout.on('data', (chunk: Buffer) => (seen += chunk.toString('utf8')))
  const done = stage.kubelet().attach(reference, {
    stdin,
    stdout,
    stderr: undefined,
    terminal: true,
    onResize: (listener) => listener(size),
    signal: leaving.signal,
  })
  return {
    type: (text: string) => void stdin.write(text),
    sees: (text: string) =>
      waitFor(systemClock, `"${text}"`, () => seen.includes(text), { timeoutMs: 20_000 }).catch(
        (cause: unknown) => {
          throw new Error(`there is only ${JSON.stringify(seen)}`, { cause })
        },
      ),
    async leave() {
      leaving.abort()
      await done
    },
    done,
  }
}

test('a container with a terminal is typed into, knows its size, and keeps both over a new agent', async () => {
  await using stage = await openStage()
  const agent = await stage.start()
  await stage.createPod('shell', {
    command: ['/bin/sh', '-i'],
    container: { stdin: true, tty: true, env: [{ name: 'PS1', value: 'ready> ' }] },
    spec: { restartPolicy: 'Never' },
  })
  await stage.waitForPod('shell', 'running', ({ status }) => status?.phase === 'Running')
  const first = attach(stage, { columns: 91, rows: 17 })
  first.type('test -t 0 && test -t 1 && echo terminal=$TERM\n')
  await first.sees('terminal=xterm\r\n')
  // The size arrives beside the input.
  first.type('until [ "$(stty size)" = "17 91" ]; do sleep 0.1; done; kept=still-here; echo sized\n')
  await first.sees('\r\nsized\r\nready> ')
  await first.leave()
  await agent.stop({ keepRunning: true })

  const next = await stage.start()
  const isAdopted = async (): Promise<boolean> => (await next.podUsage()).length > 0
  await waitFor(systemClock, 'the next agent to have it', isAdopted, { timeoutMs: 20_000 })
  const second = attach(stage, { columns: 50, rows: 20 })
  second.type('echo $kept; exit 7\n')
  await second.sees('still-here\r\n')
  expect(await second.done).toEqual({ exitCode: 0 })
  const pod = await stage.waitForPod('shell', 'over', ({ status }) => status?.phase === 'Failed')
  expect(pod.status?.containerStatuses?.[0]).toMatchObject({
    restartCount: 0,
    state: { terminated: { exitCode: 7 } },
  })
  expect(await stage.log('shell')).toContain('terminal=xterm\r\n')
})

test('an application on a terminal gets SIGTERM itself', async () => {
  await using stage = await openStage()
  await stage.start()
  const script =
    "process.on('SIGTERM', () => { console.log('asked to end'); process.exit(0) }); setInterval(() => 0, 1000); console.log('up')"
  await stage.createPod('shell', { command: ['node', '-e', script], container: { tty: true } })
  await stage.waitForPod('shell', 'running', ({ status }) => status?.phase === 'Running')
  await waitFor(systemClock, 'its first line', async () => (await stage.log('shell')).includes('up'), {
    timeoutMs: 20_000,
  })
  const person = attach(stage, { columns: 80, rows: 24 })
  await stage.registry.remove('pods', NAMESPACE, 'shell')
  await person.sees('asked to end\r\n')
  await stage.waitGone('shell')
})
