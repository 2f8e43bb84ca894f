import { expect, test } from 'vitest'

import { startLines, startPage } from './page.ts'
import type { RunInfo } from './run-file.ts'

const info: RunInfo = {
  url: 'http://localhost:7447',
  gatewayUrl: 'http://127.0.0.1:7480',
  kubeconfig: '/data/cluster/kubeconfig',
  authority: null,
  authorityFingerprint: null,
  firstRunToken: 'slpf_secret',
  sampleUrl: 'http://127.0.0.1:18001',
  sampleProblem: null,
  pid: 42,
}
const files = { runFile: '/data/run.json', logsFolder: '/data/logs' }

test('a person sees every address and the command that uses the token', () => {
  const page = startPage('en', info, files)
  for (const text of [info.url, info.gatewayUrl, info.kubeconfig, info.sampleUrl, files.runFile])
    expect(page).toContain(text)
  expect(page).toContain('npx slipway login --first-run-token slpf_secret --name admin')
})

test('with an authority of its own a person sees what to trust, and gives it to the command', () => {
  const made = { ...info, url: 'https://a.example', authority: '/k/a.crt', authorityFingerprint: 'AB:CD' }
  const page = startPage('en', made, files)
  expect(page).toMatch(/Authority +\/k\/a\.crt\n +Its SHA-256 +AB:CD/u)
  expect(page).toContain('npx slipway login --server https://a.example --ca /k/a.crt --first-run-token')
})

test('without a token and a sample nothing is said of them', () => {
  const page = startPage('en', { ...info, firstRunToken: null, sampleUrl: null }, files)
  expect(page).not.toMatch(/token|Sample|null/u)
})

test('what is wrong with the sample stands beside its address', () => {
  const sampleProblem = 'its build failed'
  expect(startPage('en', { ...info, sampleProblem }, files)).toMatch(/Sample fails +its build failed/u)
  expect(startLines({ ...info, sampleProblem }, files)).toContain('\nsampleProblem=its build failed\n')
})

test('labels of both widths stand in columns', () => {
  const rows = startPage('zh-CN', info, files)
    .split('\n')
    .filter((line) => /(http|\/data)/u.test(line))
  const columnOf = (line: string): number => {
    const label = line.slice(0, line.search(/(http|\/data)/u))
    return label.length + (label.match(/[\u4e00-\u9fff]/gu)?.length ?? 0)
  }
  expect(new Set(rows.map(columnOf)).size).toBe(1)
})

test('programs read a name and a value on each line', () => {
  expect(startLines({ ...info, firstRunToken: null }, files)).toBe(
    'url=http://localhost:7447\ngatewayUrl=http://127.0.0.1:7480\nkubeconfig=/data/cluster/kubeconfig\n' +
      'sampleUrl=http://127.0.0.1:18001\npid=42\nrunFile=/data/run.json\nlogsFolder=/data/logs\n',
  )
})
