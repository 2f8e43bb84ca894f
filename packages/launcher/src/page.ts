import type { RunInfo } from './start.ts'

/** What a person at a terminal sees. */
export function startPage(info: RunInfo, runFile: string): string {
  const rows: [label: string, value: string][] = [
    ['Platform', info.url],
    ['API reference', `${info.url}/docs`],
    ['Gateway', info.gatewayUrl],
    ...(info.sampleUrl === null ? [] : [['Sample', info.sampleUrl] as [string, string]]),
    ['Kubeconfig', info.kubeconfig],
    ['All of this', runFile],
  ]
  const width = Math.max(...rows.map(([label]) => label.length))
  const lines = rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`)
  const token =
    info.firstRunToken === null
      ? []
      : [
          '',
          '  First-run token, good once and for 24 hours:',
          `  ${info.firstRunToken}`,
          '',
          `  npx slipway login --first-run-token ${info.firstRunToken} --name admin`,
        ]
  return ['', '  Slipway 船台', '', ...lines, ...token, '', '  Ctrl-C stops it.', ''].join('\n')
}

/** The same for programs: a name and a value on each line. */
export function startLines(info: RunInfo, runFile: string): string {
  const rows = { ...info, runFile }
  return `${Object.entries(rows)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`
}
