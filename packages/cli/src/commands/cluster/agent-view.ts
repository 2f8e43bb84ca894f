import type { Deps } from '../../deps.ts'

/** The manifest alone, so that it can be piped to kubectl; in other formats what the API answered. */
export async function printAgent(
  deps: Deps,
  made: { readonly cluster: { readonly slug: string }; readonly manifest: string },
): Promise<void> {
  const { output, query } = deps.globals
  if (query !== undefined || output === 'json')
    await deps.print(made, { columns: [], name: ({ cluster }) => cluster.slug })
  else await deps.io.out(made.manifest)
  deps.io.note(deps.text('cluster.agent.apply'))
}
