import { launcherText, type Language, type LauncherKey } from '@slipway/messages'

import type { RunInfo } from './run-file.ts'

export type PageFiles = { readonly runFile: string; readonly logsFolder: string }

/** What a person at a terminal sees. */
export function startPage(language: Language, info: RunInfo, { runFile, logsFolder }: PageFiles): string {
  const text = (key: LauncherKey): string => launcherText(language, key)
  const sample: [string, string][] = [info.sampleUrl, info.sampleProblem].flatMap((value, index) =>
    value === null ? [] : [[text(index === 0 ? 'page.sample' : 'page.sample.problem'), value]],
  )
  const authority: [string, string][] =
    info.authority === null
      ? []
      : [
          [text('page.authority'), info.authority],
          [text('page.fingerprint'), info.authorityFingerprint ?? ''],
        ]
  const rows: [label: string, value: string][] = [
    [text('page.platform'), info.url],
    [text('page.docs'), `${info.url}/docs`],
    [text('page.gateway'), info.gatewayUrl],
    ...authority,
    ...sample,
    [text('page.kubeconfig'), info.kubeconfig],
    [text('page.file'), runFile],
    [text('page.logs'), logsFolder],
  ]
  const width = Math.max(...rows.map(([label]) => columnsOf(label)))
  const lines = rows.map(([label, value]) => `  ${label}${' '.repeat(width - columnsOf(label))}  ${value}`)
  const token =
    info.firstRunToken === null
      ? []
      : [
          '',
          `  ${text('page.token')}`,
          `  ${info.firstRunToken}`,
          '',
          `  npx slipway login ${whereOf(info)}--first-run-token ${info.firstRunToken} --name admin`,
        ]
  return ['', '  Slipway 船台', '', ...lines, ...token, '', `  ${text('page.stop')}`, ''].join('\n')
}

/** The same for programs: a name and a value on each line. */
export function startLines(info: RunInfo, { runFile, logsFolder }: PageFiles): string {
  const rows = { ...info, runFile, logsFolder }
  return `${Object.entries(rows)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`
}

/** How wide a terminal shows a label: Han characters and their punctuation take two columns. */
function columnsOf(label: string): number {
  return label.length + (label.match(/[\u2e80-\u9fff\uff00-\uff60]/gu)?.length ?? 0)
}

/** What the command line must be told beside the token, where it would not find the platform or trust it. */
function whereOf({ url, authority }: RunInfo): string {
  return authority === null ? '' : `--server ${url} --ca ${authority} `
}
