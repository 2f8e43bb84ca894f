import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { isRecord, parseJson } from '@slipway/kit'
import { replaceFile } from '@slipway/kit/files'

import type { Ports } from './parts.ts'

const FILE = 'ports.json'

/**
 * The ports of the last start. Where a free one is asked for, that one is taken again if it can be: addresses that people have
 * noted stay, and Images keep their names, which hold the platform's port.
 */
export async function readPorts(folder: string): Promise<Partial<Ports>> {
  let value: unknown
  try {
    value = parseJson(await readFile(join(folder, FILE), 'utf8'))
  } catch {
    return {} // the first start, or a file that a full disk tore: ports are chosen anew
  }
  if (!isRecord(value)) return {}
  const { platform, gateway, cluster, own } = value
  return {
    ...(isPort(platform) ? { platform } : {}),
    ...(isPort(gateway) ? { gateway } : {}),
    ...(isPort(cluster) ? { cluster } : {}),
    ...(typeof own === 'string' && /^\d{4,5}-\d{4,5}$/u.test(own) ? { own } : {}),
  }
}

export async function keepPorts(folder: string, ports: Ports): Promise<void> {
  await replaceFile(join(folder, FILE), `${JSON.stringify(ports)}\n`)
}

function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536
}
