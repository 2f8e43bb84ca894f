import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

import { launcherText, type Language } from '@slipway/messages'

import { UsageError } from '../options.ts'
import type { Environment } from '../parts.ts'
import type { RestoreReport } from './restore.ts'

export const keepCommands = ['backup', 'restore'] as const
export type KeepCommand = (typeof keepCommands)[number]

export type KeepRun = {
  readonly command: KeepCommand
  readonly argv: readonly string[]
  readonly checkout: string
  readonly version: string
  readonly environment: Environment
  readonly language: Language
}

/** Runs `npm run backup` or `npm run restore`. @returns what to print @throws {AppError | UsageError} */
export async function runKeep(run: KeepRun): Promise<string> {
  const { command, checkout, version, environment, language } = run
  const { values, positionals } = parse(run)
  if (values.help === true) return launcherText(language, `${command}.help`)
  const [folder] = positionals
  const isForeign = command === 'backup' && values['master-key'] !== undefined
  if (folder === undefined || positionals.length > 1 || isForeign) throw new UsageError(`usage.${command}`)
  // npm runs scripts in the checkout and says in INIT_CWD where the person stood.
  const from = (path: string): string => resolve(environment['INIT_CWD'] ?? process.cwd(), path)
  const shared = {
    dataFolder: values.data === undefined ? undefined : from(values.data),
    checkout,
    version,
    environment,
  }
  if (command === 'backup') {
    const { backUpInstallation } = await import('./backup.ts')
    const report = await backUpInstallation({ ...shared, to: from(folder) })
    const text = launcherText(language, 'backup.done', {
      folder: from(folder),
      tables: report.tables,
      blobs: report.registry.files,
      megabytes: (report.registry.bytes / 1024 / 1024).toFixed(1),
    })
    const damaged = report.damaged.map((path) => launcherText(language, 'backup.damaged', { path }))
    const { bucket } = report
    const left = bucket === undefined ? [] : [launcherText(language, 'backup.bucket', { bucket })]
    return `${[text, ...damaged, ...left].join('\n')}\n`
  }
  const key = values['master-key']
  const { restoreInstallation } = await import('./restore.ts')
  const report = await restoreInstallation({
    ...shared,
    from: from(folder),
    masterKeyPath: key === undefined ? undefined : from(key),
  })
  const { createdAt, version: madeBy } = report
  const done = launcherText(language, 'restore.done', { createdAt, version: madeBy })
  return `${[done, ...warningsOf(report.blobs, language)].join('\n')}\n`
}

function warningsOf(blobs: RestoreReport['blobs'], language: Language): string[] {
  const { place } = blobs
  if ('problem' in blobs)
    return [launcherText(language, 'restore.unchecked', { place, reason: blobs.problem })]
  if (blobs.absent === 0) return []
  return [launcherText(language, 'restore.absent', { place, count: blobs.absent })]
}

function parse({ argv, command }: KeepRun) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        data: { type: 'string' },
        'master-key': { type: 'string' },
        help: { type: 'boolean' },
      },
    })
  } catch {
    throw new UsageError(`usage.${command}`)
  }
}
