import type { Clock, Random } from '@slipway/kit'
import type { CliKey, Language } from '@slipway/messages'
import type { Client } from '@slipway/sdk'

import type { ConfigStore } from './config.ts'
import type { ExitCode } from './exit.ts'
import type { Globals } from './globals.ts'
import type { Io } from './io.ts'
import type { View } from './output/table.ts'
import type { ServerChoice } from './server.ts'

/** Everything a command may use; nothing else reaches the outside. */
export type Deps = {
  /** The client of the chosen server; opens nothing until it is called. */
  readonly api: () => Client
  /** A client for other credentials or another patience. */
  readonly connect: (options: {
    readonly bearer?: string
    readonly timeoutMs?: number
    readonly attemptsMax?: number
  }) => Client
  readonly server: () => ServerChoice
  /** Of the authorities that the server's certificate may come from; undefined for those of this computer. */
  readonly authorityFile: () => string | undefined
  readonly clock: Clock
  readonly random: Random
  readonly io: Io
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
  readonly config: ConfigStore
  readonly globals: Globals
  readonly language: Language
  readonly version: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly text: (key: CliKey, params?: Readonly<Record<string, string | number | boolean>>) => string
  /** Prints a result in the format that was asked for. */
  readonly print: <Item>(value: Item | readonly Item[], view: View<Item>) => Promise<void>
  /** What a command's action hands its result to. */
  readonly exit: (code: Promise<ExitCode>) => Promise<void>
}
