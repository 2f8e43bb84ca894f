import { spawn } from 'node:child_process'
import { join } from 'node:path'

import { ensurePrograms } from '../../tools/kubernetes/build.ts'

export type Helm = (
  parameters: readonly string[],
) => Promise<{ readonly code: number; readonly out: string; readonly err: string }>

const TIMEOUT_MS = 400_000

/** Helm of a known version. @param home - where it keeps what it keeps */
export async function helmFor(kubeconfigPath: string, home: string): Promise<Helm> {
  const { helm } = await ensurePrograms(['helm'])
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    HELM_CACHE_HOME: join(home, 'helm-cache'),
    KUBECONFIG: kubeconfigPath,
  }
  return (parameters) =>
    new Promise((resolve, reject) => {
      const child = spawn(helm, parameters, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS })
      let [out, err] = ['', '']
      child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
      child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
      child.on('error', reject)
      child.on('close', (code) => resolve({ code: code ?? -1, out, err }))
    })
}
