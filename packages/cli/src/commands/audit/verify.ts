import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { organizationIdOf } from '../../names.ts'

const INSTALLATION = 'installation'

export function auditVerify(deps: Deps, run = runAuditVerify) {
  return commandOf(deps, 'audit.verify', ['audit verify', 'audit verify acme'])
    .argument('[chain]', deps.text('audit.verify.chain'), INSTALLATION)
    .action((chain) => deps.exit(run(deps, chain)))
}

/** Ends with 1 when the chain is broken, so that a nightly job notices. */
export async function runAuditVerify(deps: Deps, given: string): Promise<ExitCode> {
  const chain = given === INSTALLATION ? given : await organizationIdOf(deps, given)
  const result = await deps.api().verifyAudit({ chain }, { signal: deps.signal })
  await deps.print(result, {
    columns: [
      { title: 'column.chain', value: (one) => one.chain },
      { title: 'column.events', value: (one) => one.events },
      { title: 'column.intact', value: (one) => one.intact },
      { title: 'column.brokenAt', value: (one) => one.brokenAt },
      { title: 'column.headHash', value: (one) => one.headHash },
    ],
    name: (one) => one.chain,
  })
  return result.intact ? Exit.ok : Exit.error
}
