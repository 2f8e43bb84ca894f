import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'

import { systemClock, type Clock } from '@slipway/kit'

import { run } from '../run.ts'

/** What one call of the command left behind. */
export type Outcome = { readonly exit: number; readonly out: string; readonly err: string }

export type Harness = AsyncDisposable & {
  readonly folder: string
  readonly call: (words: readonly string[], extras?: Extras) => Promise<Outcome>
}
type Extras = {
  readonly environment?: Readonly<Record<string, string>>
  readonly stdin?: string
  readonly clock?: Clock
  readonly signal?: AbortSignal
  /** Standard error is a terminal. */
  readonly terminal?: boolean
}

/** Runs command lines in a home folder of their own, without a terminal, in UTC. */
export async function harness(): Promise<Harness> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-cli-'))
  return {
    folder,
    async call(words, extras = {}) {
      const [out, err] = [collector(extras.terminal), collector(extras.terminal)]
      const exit = await run({
        words,
        environment: { ...extras.environment },
        folder,
        homeFolder: folder,
        streams: { stdin: Readable.from([Buffer.from(extras.stdin ?? '')]), stdout: out, stderr: err },
        clock: extras.clock ?? systemClock,
        signal: extras.signal ?? new AbortController().signal,
        version: '0.1.0',
        timeZone: 'UTC',
      })
      return { exit, out: out.text(), err: err.text() }
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}

function collector(isTTY = false): Writable & { readonly text: () => string; readonly isTTY: boolean } {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      chunks.push(Buffer.from(chunk))
      done()
    },
  })
  return Object.assign(stream, { text: () => Buffer.concat(chunks).toString('utf8'), isTTY })
}
