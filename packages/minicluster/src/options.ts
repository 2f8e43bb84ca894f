import { isRecord, parseJson } from '@slipway/kit'

import type { MiniclusterOptions } from './start.ts'

/** What of the options can travel as JSON. */
export type MainOptions = Omit<MiniclusterOptions, 'clock' | 'random' | 'log'>

const TEXTS = ['dataFolder', 'gatewayListen', 'ownPorts', 'nodeName', 'ownRegistry', 'hostPath']
const NUMBERS = ['apiPort', 'gatewayPort', 'processLimit']
const KNOWN = new Set([...TEXTS, ...NUMBERS, 'simulatedNodes', 'keepRunning'])

/**
 * Reads the options that the launcher hands over.
 * @throws {Error} naming the option that is missing, unknown or of the wrong type
 */
export function parseOptions(text: string | undefined): MainOptions {
  const value = parseJson(text ?? '')
  if (!isRecord(value)) throw new Error('the options are one JSON object')
  for (const key of ['dataFolder', 'apiPort', 'gatewayPort'])
    if (value[key] === undefined) throw new Error(`option ${key} is missing`)
  for (const [key, given] of Object.entries(value)) {
    const isRight =
      (TEXTS.includes(key) && typeof given === 'string') ||
      (NUMBERS.includes(key) && isCount(given)) ||
      (key === 'keepRunning' && typeof given === 'boolean') ||
      (key === 'simulatedNodes' &&
        (isCount(given) || (isRecord(given) && Object.values(given).every(isCount))))
    if (!KNOWN.has(key)) throw new Error(`option ${key} is unknown`)
    if (!isRight) throw new Error(`option ${key} has the wrong type`)
  }
  // Every field was checked above; the keys and types are those of MainOptions.
  return value as unknown as MainOptions
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0
}
