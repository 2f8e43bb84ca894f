/** Everything the pods' workers share. */
import type { Random } from '@slipway/kit'

import type { EnvironmentInput } from './environment.ts'
import type { Events } from './events.ts'
import type { Folders } from './folders.ts'
import type { Identities } from './identity.ts'
import type { Images } from './images.ts'
import type { Base, IsolationMode } from './model.ts'
import type { Network } from './network.ts'
import type { ProcessTable } from './process-table.ts'
import type { TerminalHolder } from './terminal.ts'

export type Agent = Base & {
  readonly folders: Folders
  readonly events: Events
  readonly images: Images
  readonly identities: Identities
  readonly processes: ProcessTable
  readonly network: Network
  readonly terminals: TerminalHolder
  readonly random: Random
  readonly asRoot: boolean
  /** The strongest isolation this machine gives a build. */
  readonly buildIsolation: IsolationMode
  readonly allocatable: EnvironmentInput['allocatable']
  readonly takenPorts: () => ReadonlySet<number>
  readonly takenAddresses: () => ReadonlySet<string>
  /** `namespace/name` of the pod a marker belongs to. */
  readonly podNameOf: (marker: string) => string
}
