/* An agent as its pod would run it, as a process of this machine. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { isRecord } from '@slipway/kit'
import { parseAllDocuments } from 'yaml'

export type AgentProcess = AsyncDisposable & {
  readonly process: ChildProcess
  /** What it has said. */
  readonly lines: () => string
  /** Ends it at once, as when its node loses power. */
  readonly kill: () => Promise<void>
}

export type AgentPlace = {
  readonly apiUrl: string
  readonly certificateAuthority: string
  /** Of the ServiceAccount that it acts as. */
  readonly accountToken: string
  readonly platformUrl: string
  /** What runs Node where the cluster is. */
  readonly command?: readonly string[]
}

/** What the agent's pod would be given by the manifest. */
function podOf(manifest: string): {
  readonly program: string
  readonly token: string
  readonly authority: string | undefined
} {
  const all = parseAllDocuments(manifest).map((one): unknown => one.toJS())
  const find = (kind: string): Record<string, unknown> => {
    const found = all.find(
      (one) => isRecord(one) && one['kind'] === kind && JSON.stringify(one).includes('slipway-agent'),
    )
    return isRecord(found) ? found : {}
  }
  const [data, secret] = [find('ConfigMap')['data'], find('Secret')['stringData']]
  const authority = isRecord(data) ? data['authority.crt'] : undefined
  return {
    authority: typeof authority === 'string' ? authority : undefined,
    program: isRecord(data) ? String(data['slipway-agent.mjs']) : '',
    token: isRecord(secret) ? String(secret['token']) : '',
  }
}

/** Starts the agent of a manifest. */
export async function startAgent(manifest: string, place: AgentPlace): Promise<AgentProcess> {
  const { program, token, authority } = podOf(manifest)
  const folder = await mkdtemp(join(tmpdir(), 'slipway-agent-'))
  const account = join(folder, 'account')
  await mkdir(account)
  await Promise.all([
    writeFile(join(account, 'ca.crt'), place.certificateAuthority),
    writeFile(join(account, 'token'), place.accountToken),
    writeFile(join(folder, 'token'), token),
    writeFile(join(folder, 'authority.crt'), authority ?? ''),
    writeFile(join(folder, 'agent.mjs'), program),
  ])
  const api = new URL(place.apiUrl)
  const [command, ...parameters] = [...(place.command ?? []), process.execPath, join(folder, 'agent.mjs')]
  const child = spawn(command, parameters, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'] ?? '',
      SLIPWAY_URL: place.platformUrl,
      SLIPWAY_AGENT_TOKEN_FILE: join(folder, 'token'),
      SLIPWAY_SERVICE_ACCOUNT: account,
      KUBERNETES_SERVICE_HOST: api.hostname,
      KUBERNETES_SERVICE_PORT: api.port,
      ...(authority !== undefined && { NODE_EXTRA_CA_CERTS: join(folder, 'authority.crt') }),
    },
  })
  let said = ''
  child.stdout.on('data', (part: Buffer) => (said += part.toString('utf8')))
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  return {
    process: child,
    lines: () => said,
    kill,
    async [Symbol.asyncDispose]() {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
