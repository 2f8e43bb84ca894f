import type { Context } from '../../config.ts'
import type { View } from '../../output/table.ts'

/** A context as it is shown: never with its secret. */
export type ShownContext = {
  readonly name: string
  readonly current: boolean
  readonly server: string
  readonly signedIn: boolean
  readonly organization: string | null
  readonly project: string | null
  readonly environment: string | null
}

export function shownContext(name: string, context: Context, current: boolean): ShownContext {
  const { server, organization = null, project = null, environment = null } = context
  return { name, current, server, signedIn: context.secret !== undefined, organization, project, environment }
}

export const contextView: View<ShownContext> = {
  columns: [
    { title: 'column.current', value: ({ current }) => (current ? '*' : '') },
    { title: 'column.name', value: ({ name }) => name },
    { title: 'column.server', value: ({ server }) => server },
    { title: 'column.signedIn', value: ({ signedIn }) => signedIn },
    { title: 'column.organization', value: ({ organization }) => organization },
    { title: 'column.project', value: ({ project }) => project },
    { title: 'column.environment', value: ({ environment }) => environment },
  ],
  name: ({ name }) => name,
}
