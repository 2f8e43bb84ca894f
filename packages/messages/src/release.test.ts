import { expect, test } from 'vitest'

import { releaseText } from './release.ts'

test('a state with a reason says both, in both languages', () => {
  const params = { reason: 'gate_deadline', ready: 1, wanted: 4, seconds: 600, trouble: '' }
  expect(releaseText('en', 'RollingBack', params)).toBe(
    'traffic returns to the old version: after 600 s 1 of 4 instances were ready and tried',
  )
  expect(releaseText('zh-CN', 'RollingBack', params)).toContain('：600 秒后 4 个实例中只有 1 个就绪')
})

test('an empty comment leaves no blank behind, and an unknown code is shown as it is', () => {
  expect(releaseText('en', 'approved', { comment: '' })).toBe('approved')
  expect(releaseText('en', 'of_tomorrow', {})).toBe('of_tomorrow')
})
