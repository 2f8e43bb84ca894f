import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import * as tls from 'node:tls'

import { messageOf } from '@slipway/kit'

import type { Context } from './config.ts'
import { cliErrors } from './errors.ts'
import type { Globals } from './globals.ts'

/** The file of further authorities: by option, environment or context, the first that says something. */
export function authorityFileOf(where: {
  readonly globals: Pick<Globals, 'ca'>
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly context: Context | undefined
  /** Where the command was called. */
  readonly folder: string
}): string | undefined {
  const file = where.globals.ca ?? where.environment['SLIPWAY_CA'] ?? where.context?.ca
  return file === undefined || file === '' ? undefined : resolve(where.folder, file)
}

/**
 * Trusts the authorities in a PEM file beside those that this computer knows, for all that this process connects to.
 * @throws {AppError} `authority_unusable`
 */
export function trustAuthority(file: string): void {
  try {
    const pem = readFileSync(file, 'utf8')
    // Otherwise it would count as an empty list, and the refusal would come later and say less.
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('it holds no PEM certificate')
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), pem])
  } catch (thrown) {
    throw cliErrors.authority_unusable({ file, problem: messageOf(thrown) }, { cause: thrown })
  }
}
