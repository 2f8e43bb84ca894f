import { expect, test } from 'vitest'

import { startFailure } from './data.ts'
import { parsePidFile } from './postmaster.ts'
import { serverArguments } from './settings.ts'

const PID_FILE = '4242\n/data\n1767225600\n40123\n\n127.0.0.1\n  1234567   0\nready   \n'

test('postmaster.pid is read by its lines', () => {
  expect(parsePidFile(PID_FILE)).toEqual({ pid: 4242, port: 40_123, isReady: true })
})

test.each([
  ['a server that is starting', '4242\n/data\n1767225600\n40123\n\n127.0.0.1\n  1 0\nstarting\n', 40_123],
  ['a file that is being written', '4242\n/data\n', undefined],
])('%s is not ready', (_, text, port) => {
  expect(parsePidFile(text)).toEqual({ pid: 4242, port, isReady: false })
})

test.each(['', 'x', '1\n', '-5\n', '0\n'])('%j names no server', (text) => {
  expect(parsePidFile(text)).toBeUndefined()
})

test.each([
  ['FATAL:  could not write lock file "postmaster.pid": No space left on device', 'postgres_disk_full'],
  ['initdb: error: could not create directory: Disk quota exceeded', 'postgres_disk_full'],
  ['initdb: error: could not access directory "/data": Permission denied', 'postgres_folder_unreadable'],
  ['FATAL:  data directory "/data" has wrong ownership', 'postgres_folder_unreadable'],
  ['PANIC:  could not locate a valid checkpoint record', 'postgres_start_failed'],
])('%s becomes %s', (output, code) => {
  const error = startFailure('/data', output, 1)
  expect(error).toMatchObject({ code, params: { folder: '/data' } })
  expect(String(error.cause)).toContain(output)
})

test('the server listens on loopback only and writes no values into its log', () => {
  const args = serverArguments('/data', 5000).join(' ')
  for (const setting of [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories= ',
    'log_min_error_statement=panic',
    'log_error_verbosity=terse',
    'port=5000',
  ])
    expect(`${args} `).toContain(setting)
})
