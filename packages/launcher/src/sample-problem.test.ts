import { expect, test } from 'vitest'

import { sampleProblemOf } from './sample-problem.ts'

const build = {
  part: 'build',
  subject: 'sample/hello#1',
  code: 'build_command_failed',
  params: { exitCode: 3, problem: 'first line\nsecond line' },
}

test('nothing is wrong while the platform tells no trouble', () => {
  for (const trouble of [null, undefined, {}, 'x', { part: 'build' }])
    expect(sampleProblemOf('en', trouble)).toBeNull()
})

test('a failed build is told with its reason and the commands that show more, on one line', () => {
  const text = sampleProblemOf('en', build)
  expect(text).toContain('exit code 3. first line second line')
  expect(text).toContain('npx slipway build logs sample/hello#1')
  expect(text).toContain('npx slipway build start sample/hello')
  expect(text).not.toContain('\n')
  expect(sampleProblemOf('zh-CN', build)).toContain('npx slipway build logs sample/hello#1')
})

test('a cancelled build says so', () => {
  expect(sampleProblemOf('en', { ...build, code: 'Cancelled', params: {} })).toContain(
    'somebody cancelled it',
  )
})

test('a failed release is told in the words of releases', () => {
  const release = {
    part: 'release',
    subject: 'sample/hello/production#1',
    code: 'gate_crashing',
    params: { restarts: 3, trouble: '' },
  }
  const text = sampleProblemOf('en', release)
  expect(text).toContain('an instance crashed 3 times')
  expect(text).toContain('npx slipway release show sample/hello/production#1')
  expect(text).toContain('npx slipway logs sample/hello/production ')
})
