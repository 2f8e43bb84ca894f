import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { ensurePrograms } from '../../tools/kubernetes/build.ts'

export type KubectlResult = { readonly code: number; readonly stdout: string; readonly stderr: string }

export type Kubectl = Disposable & {
  /** Runs kubectl to its end; `input` is what it reads from its standard input. */
  readonly run: (parameters: readonly string[], input?: string) => Promise<KubectlResult>
  /** Starts kubectl and resolves with what it has printed as soon as that matches; disposing ends it. */
  readonly start: (parameters: readonly string[], printed: RegExp) => Promise<RunningKubectl>
}

export type RunningKubectl = AsyncDisposable & { readonly match: RegExpExecArray }

const TIMEOUT_MS = 100_000

/** A kubectl of a known version with a cache of its own: discovery is kept for 10 minutes, and would mix servers up. */
export async function kubectlFor(kubeconfigPath: string): Promise<Kubectl> {
  const { kubectl } = await ensurePrograms(['kubectl'])
  const home = mkdtempSync(join(tmpdir(), 'slipway-kubectl-'))
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    KUBECACHEDIR: join(home, 'cache'),
    KUBECONFIG: kubeconfigPath,
  }
  return {
    run: (parameters, input) =>
      new Promise((resolve, reject) => {
        const child = spawn(kubectl, parameters, { env, timeout: TIMEOUT_MS })
        let stdout = ''
        let stderr = ''
        child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
        child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
        child.on('error', reject)
        child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }))
        // It may have ended without reading.
        child.stdin.on('error', () => undefined)
        child.stdin.end(input)
      }),
    start: (parameters, printed) =>
      new Promise((resolve, reject) => {
        const child = spawn(kubectl, parameters, { env, stdio: ['ignore', 'pipe', 'pipe'] })
        const ended = new Promise<void>((done) => child.once('close', () => done()))
        let text = ''
        const read = (part: string): void => {
          text += part
          const match = printed.exec(text)
          const end = async (): Promise<void> => {
            child.kill()
            await ended
          }
          if (match) resolve({ match, [Symbol.asyncDispose]: end })
        }
        child.stdout.setEncoding('utf8').on('data', read)
        child.stderr.setEncoding('utf8').on('data', read)
        child.on('error', reject)
        void ended.then(() => reject(new Error(`kubectl ${parameters.join(' ')} ended: ${text}`)))
      }),
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  }
}
