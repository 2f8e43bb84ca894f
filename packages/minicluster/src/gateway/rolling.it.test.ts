import { Agent, type Server } from 'node:http'

import { systemClock, waitFor } from '@slipway/kit'
import { afterAll, expect, test } from 'vitest'

import { type Answer, openStage, type Question } from './testing.ts'

const stage = await openStage()
afterAll(() => stage[Symbol.asyncDispose]())
const { registry, ask, listen, addPod, addService, addRoute } = stage

test('rolling replacement under load breaks nothing: no failed request, no reset, no cut stream', async () => {
  await addService('rolling')
  await addRoute('rolling', [{ backendRefs: [{ name: 'rolling', port: 80 }] }])
  const blob = Buffer.alloc(256 * 1024, 7)
  const startInstance = async (version: number): Promise<Server> =>
    listen((request, response) => {
      if (request.url === '/slow') setTimeout(() => response.end(`v${version}`), 2_000)
      else if (request.url === '/stream') {
        let left = 80
        const timer = setInterval(() => {
          response.write(blob)
          left -= 1
          if (left > 0) return
          clearInterval(timer)
          response.end()
        }, 25)
      } else if (request.method === 'POST') {
        request.resume()
        request.on('end', () => response.end(`v${version}`))
      } else response.end(`v${version}`)
    })
  const live = new Map<string, Server>()
  for (const name of ['rolling-a', 'rolling-b', 'rolling-c']) {
    const server = await startInstance(0)
    live.set(name, server)
    await addPod('rolling', name, server)
  }

  const load = { isOver: false }
  const failures: string[] = []
  let done = 0
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  const check = (answer: Answer): void => {
    done += 1
    if (answer.status !== 200) failures.push(`${answer.status} ${answer.body}`)
  }
  const fail = (error: unknown): void => void failures.push(String(error))
  const client = async (question: Question): Promise<void> => {
    while (!load.isOver) await ask({ host: 'rolling.test', agent, ...question }).then(check, fail)
  }
  const clients = [
    ...Array.from({ length: 8 }, () => client({})),
    ...Array.from({ length: 4 }, () => client({ method: 'POST', body: 'data' })),
    ...Array.from({ length: 3 }, () => client({ path: '/slow' })),
  ]
  const stream = ask({ host: 'rolling.test', path: '/stream' }).then((answer) => {
    check(answer)
    return answer.body.length
  })
  const closing: Promise<unknown>[] = []
  for (let version = 1; version <= 9; version += 1) {
    const [oldName, oldServer] = [...live][0]!
    const server = await startInstance(version)
    live.set(`rolling-v${version}`, server)
    await addPod('rolling', `rolling-v${version}`, server)
    await registry.remove('pods', 'default', oldName, { gracePeriodSeconds: 10 })
    live.delete(oldName)
    // As an application does at SIGTERM: takes nothing new, finishes what it has.
    closing.push(new Promise((resolve) => oldServer.close(resolve)))
    oldServer.closeIdleConnections()
    await systemClock.sleep(150)
  }
  await waitFor(systemClock, 'some thousand requests', () => done > 3_000, { timeoutMs: 50_000 })
  load.isOver = true
  await Promise.all(clients)
  expect(failures).toEqual([])
  expect(await stream).toBe(80 * blob.length)
  agent.destroy()
  await Promise.all(closing)
})
