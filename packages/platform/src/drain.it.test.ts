import { systemClock, waitFor } from '@slipway/kit'
import { testPlatform } from '@slipway/testkit'
import { expect, test } from 'vitest'

test('a platform that is told to end says so first, still answers, and is gone afterwards', async () => {
  const platform = await testPlatform({ drainSeconds: 3 })
  const secret = await platform.becomeOperator()
  expect((await platform.call('GET', '/v1/health')).status).toBe(200)
  const gone = platform[Symbol.asyncDispose]()
  const told = await waitFor(
    systemClock,
    'it to say that it ends',
    async () => {
      const answer = await platform.call('GET', '/v1/health')
      return answer.status === 503 ? answer : undefined
    },
    { timeoutMs: 30_000, everyMs: 10 },
  )
  expect(told.body['error']).toMatchObject({ code: 'replica_ending' })
  expect(told.headers.get('retry-after')).toBe('1')
  expect((await platform.call('GET', '/v1/account', { secret })).status).toBe(200)
  await gone
  await expect(platform.call('GET', '/v1/health')).rejects.toThrow()
})
