import { contract } from '@slipway/contract'
import { systemClock } from '@slipway/kit'
import { pino } from 'pino'
import { expect, test } from 'vitest'

import type { Platform } from '../context.ts'
import { checkSettings } from '../settings.ts'
import { collectRoutes, type Registered } from './routes.ts'
import { createServer } from './server.ts'

/** Handlers for the whole contract; none is ever called here. */
function allRegistered(): Registered {
  const routes = collectRoutes()
  for (const operation of Object.values(contract)) {
    if (operation.kind === 'endpoint') routes.on(operation, () => Promise.reject(new Error('not called')))
    else if (operation.kind === 'stream') routes.onStream(operation, () => Promise.resolve())
    else routes.onProtocol(operation, () => Promise.resolve(new Response()))
  }
  return routes.registered
}

// Making the server touches the log, the clock and the settings; everything else is for requests.
const platform = {
  settings: checkSettings({
    databaseUrl: 'x',
    databaseOwnerUrl: 'x',
    masterKey: 'x'.repeat(44),
    dataFolder: '/x',
  }),
  clock: systemClock,
  log: pino({ level: 'silent' }),
} as unknown as Platform

test('a route that no declaration stands for stops the start', () => {
  const server = createServer({ platform, finders: {} }, allRegistered())
  expect(() => server.get('/v1/backdoor', () => 'open')).toThrow('not declared in the contract')
  expect(() => server.route({ method: ['GET', 'DELETE'], url: '/v1/users', handler: () => 'open' })).toThrow(
    'not declared in the contract',
  )
  expect(() => server.post('/v1/version', () => 'open')).toThrow('not declared in the contract')
})

test('a route added by a plugin of its own is found as well', async () => {
  const server = createServer({ platform, finders: {} }, allRegistered())
  void server.register(async (scope) => {
    scope.get('/metrics', () => 'open')
  })
  await expect(server.ready()).rejects.toThrow('GET /metrics is not declared in the contract')
})

test('an operation without a handler stops the start', () => {
  const { endpoints, streams, protocols } = allRegistered()
  const without = new Map([...endpoints].filter(([endpoint]) => endpoint !== contract.listUsers))
  expect(() => createServer({ platform, finders: {} }, { endpoints: without, streams, protocols })).toThrow(
    'operation listUsers has no handler',
  )
  expect(() => createServer({ platform, finders: {} }, { endpoints, streams: new Map(), protocols })).toThrow(
    'has no handler',
  )
  expect(() => createServer({ platform, finders: {} }, { endpoints, streams, protocols: new Map() })).toThrow(
    'has no handler',
  )
})
