import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { sweepFolders } from './sweep.ts'

/*
 * Named in vitest.config.ts as globalSetup: all workers of a run share one PostgreSQL, started when the first one asks through
 * a socket whose path is in the environment. It belongs to a child process that ends it when the channel to us closes, so a
 * run that is killed leaves nothing behind either. This file imports nothing of ours: Vitest loads global setup without the
 * conditions under which our packages are found.
 */
export const SOCKET_VARIABLE = 'SLIPWAY_TEST_POSTGRES'

const HOST = fileURLToPath(new URL('host.ts', import.meta.url))

export async function setup(): Promise<() => Promise<void>> {
  await sweepFolders(tmpdir(), performance.timeOrigin + performance.now())
  const folder = await mkdtemp(join(tmpdir(), `slipway-test-${process.pid}-run-`))
  const path = join(folder, 'socket')
  let host: ChildProcess | undefined
  let reply: Promise<string> | undefined
  const listener = createServer((socket) => {
    socket.on('error', () => undefined) // a worker that went away has no use for the answer
    host ??= fork(HOST, [folder], {
      execArgv: ['--conditions=source'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    reply ??= replyOf(host)
    void reply.then((text) => socket.end(text))
  })
  listener.listen(path)
  await once(listener, 'listening')
  listener.unref()
  process.env[SOCKET_VARIABLE] = path
  return async () => {
    listener.close()
    if (host?.exitCode === null) {
      const ended = once(host, 'exit')
      if (host.connected) host.disconnect()
      await ended
    }
    await rm(folder, { recursive: true, force: true })
  }
}

async function replyOf(host: ChildProcess): Promise<string> {
  const message = once(host, 'message').then(([text]) => String(text))
  const end = once(host, 'exit').then(() => JSON.stringify({ error: 'its process ended' }))
  return await Promise.race([message, end])
}
