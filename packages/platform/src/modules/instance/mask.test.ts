import { expect, test } from 'vitest'

import { maskedCommand } from './mask.ts'

const cases: [words: string[], kept: string][] = [
  [['ls', '-la', '/app'], 'ls -la /app'],
  [['cat', 'a file'], 'cat "a file"'],
  [['env', 'PGPASSWORD=hunter22', 'psql'], 'env PGPASSWORD=*** psql'],
  [['tool', '--token=abc', '--verbose'], 'tool --token=*** --verbose'],
  [['tool', '--password', 'abc', 'next'], 'tool --password *** next'],
  [['tool', '-token', 'abc'], 'tool -token ***'],
  [['sh', '-c', 'API_KEY="a b" DB_SECRET=x run'], 'sh -c "API_KEY=*** DB_SECRET=*** run"'],
  [['curl', '-H', 'Authorization: Bearer abc.def'], 'curl -H "Authorization: ***"'],
  [['curl', 'https://me:pw@host/x'], 'curl https://me:***@host/x'],
  [
    ['psql', 'postgres://app:p%40ss@db:5432/app?sslmode=off'],
    'psql "postgres://app:***@db:5432/app?sslmode=off"',
  ],
  [['/usr/bin/mysql', '-uroot', '-phunter22'], '/usr/bin/mysql -uroot -p***'],
  [['mkdir', '-pv', 'x'], 'mkdir -pv x'],
  [['echo', '{"password": "x y", "name": "n"}'], 'echo "{\\"password\\": ***, \\"name\\": \\"n\\"}"'],
  [['echo', 'xx-known-value-xx'], 'echo xx-***-xx'],
  [['echo', 'line\nbreak\u0007'], 'echo "line\\nbreak\\u0007"'],
]
test.each(cases)('%j is kept as %s', (words, kept) => {
  expect(maskedCommand(words, ['known-value', 'known', 'ab', ''])).toBe(kept)
})

test('a command is bounded, and masking takes no time whatever it is', () => {
  const long = maskedCommand(
    ['sh', '-c', 'x'.repeat(4_096), ...Array.from({ length: 61 }, () => 'y'.repeat(4_096))],
    [],
  )
  expect(long.length).toBeLessThanOrEqual(1_000)
  for (const hard of [
    'a'.repeat(4_096),
    'password'.repeat(512),
    `${'a.'.repeat(2_000)}=`,
    `x://${'a'.repeat(4_000)}`,
  ])
    expect(
      maskedCommand(
        Array.from({ length: 64 }, () => hard),
        [],
      ).length,
    ).toBeLessThanOrEqual(1_000)
})
