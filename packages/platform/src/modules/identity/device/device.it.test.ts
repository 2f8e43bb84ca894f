import { systemClock, type Clock } from '@slipway/kit'
import { testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { newUserCode, paceOf, type Device } from './model.ts'

/* The platform's clock runs ahead at a test's wish. */
let aheadMs = 0
const clock: Clock = { ...systemClock, now: () => new Date(Date.now() + aheadMs) }
let platform: TestPlatform
let operator: string

beforeAll(async () => {
  platform = await testPlatform({}, { clock })
  operator = await platform.becomeOperator()
})
afterAll(() => platform[Symbol.asyncDispose]())

type Answer = Awaited<ReturnType<TestPlatform['call']>>
type Started = { readonly deviceCode: string; readonly userCode: string; readonly [field: string]: unknown }
async function start(): Promise<Started> {
  const answer = await platform.call('POST', '/v1/device-sign-ins', {
    body: { client: 'slipway on build-7' },
  })
  expect(answer.status, JSON.stringify(answer.body)).toBe(201)
  return answer.body as Started
}
const poll = async (deviceCode: string): Promise<Record<string, unknown>> =>
  (await platform.call('POST', '/v1/device-sign-ins/polls', { body: { deviceCode } })).body
const decide = (userCode: string, verb: 'approvals' | 'denials', secret = operator): Promise<Answer> =>
  platform.call('POST', `/v1/device-sign-ins/${userCode}/${verb}`, { secret })
const code = (answer: Answer): unknown => (answer.body['error'] as { code?: unknown } | undefined)?.code
/** Waits as long as a program has to, and starts a minute in which no limit has been reached. */
const pass = (seconds: number): void => void (aheadMs += seconds * 1_000)

test('a person sees what asks and from where, says yes, and the program is signed in as them, once', async () => {
  const { deviceCode, userCode, verificationUrlComplete, intervalSeconds } = await start()
  expect(userCode).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/u)
  expect(verificationUrlComplete).toBe(`${platform.url}/device?code=${userCode}`)
  expect(intervalSeconds).toBe(5)
  expect(await poll(deviceCode)).toEqual({ state: 'pending', intervalSeconds: 5, session: null })

  // As people type it.
  const typed = userCode.replace('-', '').toLowerCase()
  const shown = await platform.call('GET', `/v1/device-sign-ins/${typed}`, { secret: operator })
  expect(shown.body).toMatchObject({
    userCode,
    client: 'slipway on build-7',
    sameAddress: true,
    state: 'pending',
  })
  expect(JSON.stringify(shown.body)).not.toContain(deviceCode)

  expect((await decide(userCode, 'approvals')).body).toMatchObject({ state: 'approved' })
  expect(code(await decide(userCode, 'denials'))).toBe('device_decided')
  const { session } = (await poll(deviceCode)) as { session: { secret: string; user: unknown } }
  expect(session.user).toMatchObject({ name: 'admin' })
  expect((await platform.call('GET', '/v1/account', { secret: session.secret })).body).toMatchObject({
    user: { name: 'admin' },
    via: 'session',
  })
  expect(await poll(deviceCode)).toMatchObject({ state: 'expired', session: null })
})

test('a no is final, and what a code never was is expired', async () => {
  const { deviceCode, userCode } = await start()
  expect((await decide(userCode, 'denials')).status).toBe(200)
  expect(code(await decide(userCode, 'approvals'))).toBe('device_decided')
  expect(await poll(deviceCode)).toMatchObject({ state: 'denied', session: null })
  expect(await poll('slpd_made-up')).toMatchObject({ state: 'expired' })
  // The person's code proves nothing.
  expect(await poll(userCode)).toMatchObject({ state: 'expired' })
})

test('who asks too soon is slowed down, and the code runs out', async () => {
  const { deviceCode, userCode } = await start()
  expect(await poll(deviceCode)).toMatchObject({ state: 'pending', intervalSeconds: 5 })
  expect(await poll(deviceCode)).toMatchObject({ state: 'slow-down', intervalSeconds: 10 })
  pass(11)
  expect(await poll(deviceCode)).toMatchObject({ state: 'pending', intervalSeconds: 10 })
  pass(600)
  expect(await poll(deviceCode)).toMatchObject({ state: 'expired' })
  expect((await decide(userCode, 'approvals')).status).toBe(404)
})

test('neither strangers nor tokens decide, and a disabled person opens nothing', async () => {
  const { deviceCode, userCode } = await start()
  expect((await platform.call('GET', `/v1/device-sign-ins/${userCode}`)).status).toBe(401)
  const token = await platform.call('POST', '/v1/tokens', { secret: operator, body: { name: 'ci' } })
  expect(code(await decide(userCode, 'approvals', String(token.body['secret'])))).toBe('device_needs_session')
  const leaver = await platform.user(operator, 'leaver')
  expect((await decide(userCode, 'approvals', leaver.secret)).status).toBe(200)
  await platform.call('PATCH', `/v1/users/${leaver.id}`, { secret: operator, body: { disabled: true } })
  expect(await poll(deviceCode)).toMatchObject({ state: 'denied', session: null })
})

test('codes of others cannot be tried out, nor sign-ins started without end', async () => {
  pass(60)
  const tried: number[] = []
  for (let count = 0; count < 25; count += 1)
    tried.push(
      (await platform.call('GET', `/v1/device-sign-ins/${newUserCode()}`, { secret: operator })).status,
    )
  expect([tried[0], tried.at(-1)]).toEqual([404, 429])
  const starts: number[] = []
  for (let count = 0; count < 12; count += 1)
    starts.push((await platform.call('POST', '/v1/device-sign-ins', { body: { client: 'x' } })).status)
  expect([starts[0], starts.at(-1)]).toEqual([201, 429])
})

test('the audit tells who let what in from where, and not that nothing had happened yet', async () => {
  pass(60)
  const { deviceCode, userCode } = await start()
  await poll(deviceCode)
  await decide(userCode, 'approvals')
  await poll(deviceCode)
  const events = await platform.call('GET', '/v1/audit-events?limit=3', { secret: operator })
  const items = events.body['items'] as { action: string; detail: unknown; target: string }[]
  expect(items.map(({ action }) => action)).toEqual(['session.create', 'device.approve', 'device.start'])
  expect(items[1]?.detail).toMatchObject({ client: 'slipway on build-7', from: expect.any(String) as string })
  expect(JSON.stringify(items)).not.toContain(deviceCode)
})

test('the pace of a program: in time, a little early, too early, and never slower than a minute', () => {
  const device = { intervalSeconds: 5, polledAt: new Date(0) } as Device
  expect(paceOf({ ...device, polledAt: null }, new Date(0))).toEqual({ tooSoon: false, intervalSeconds: 5 })
  expect(paceOf(device, new Date(5_000))).toEqual({ tooSoon: false, intervalSeconds: 5 })
  expect(paceOf(device, new Date(4_100))).toEqual({ tooSoon: false, intervalSeconds: 5 })
  expect(paceOf(device, new Date(3_000))).toEqual({ tooSoon: true, intervalSeconds: 10 })
  expect(paceOf({ ...device, intervalSeconds: 60 }, new Date(0))).toMatchObject({ intervalSeconds: 60 })
})
