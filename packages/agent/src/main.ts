/* The program in the closed cluster: settings from the environment and mounted files, one line of JSON per event. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { messageOf, systemClock, systemRandom } from '@slipway/kit'

import { runAgent } from './agent.ts'
import { agentAddress } from './address.ts'

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'
const VERSION = '0.1.0'

function log(event: string, facts: Readonly<Record<string, unknown>> = {}): void {
  process.stdout.write(`${JSON.stringify({ time: systemClock.now().toISOString(), event, ...facts })}\n`)
}

function setting(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '') throw new Error(`${name} is not set`)
  return value
}

async function readText(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).trim()
}

try {
  const folder = process.env['SLIPWAY_SERVICE_ACCOUNT'] ?? SERVICE_ACCOUNT
  const tokenFile = setting('SLIPWAY_AGENT_TOKEN_FILE')
  const stopping = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => stopping.abort())
  await runAgent({
    url: agentAddress(setting('SLIPWAY_URL'), process.env['SLIPWAY_ALLOW_PLAIN_HTTP'] === 'true'),
    version: VERSION,
    readToken: () => readText(tokenFile),
    api: {
      host: setting('KUBERNETES_SERVICE_HOST'),
      port: Number(setting('KUBERNETES_SERVICE_PORT')),
      certificateAuthority: await readText(join(folder, 'ca.crt')),
      readToken: () => readText(join(folder, 'token')),
    },
    gatewayUrl: process.env['SLIPWAY_GATEWAY_URL'],
    clock: systemClock,
    random: systemRandom,
    log,
    signal: stopping.signal,
  })
  log('stopped')
} catch (error) {
  log('cannot run', { why: messageOf(error) })
  process.exitCode = 1
}
