import { Checkbox } from 'antd'
import { useState } from 'react'

import type { Release } from '@slipway/contract'

import { useAnswer, useChange } from '../../data/queries.ts'
import { ReleaseDiffTable } from '../../objects/release-diff.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo } from '../../routes/use.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Loaded } from '../../ui/loaded.tsx'

export type Command = 'promote' | 'abort' | 'redeploy'

const operations = { promote: 'promoteRelease', abort: 'abortRelease', redeploy: 'redeployRelease' } as const
type CommandProps = { readonly release: Release; readonly command: Command; readonly close: () => void }

/** Something that is done to a Release as a whole; says first what that means. */
export function CommandDialog({ release, command, close }: CommandProps) {
  const { text } = useText()
  const go = useGo()
  const change = useChange(operations[command], (answer) => {
    close()
    if (answer.id !== release.id) go(pathTo('release', { release: answer.id }))
  })
  return (
    <Dialog
      title={`${text(`release.${command}`)} · ${text('release.one', { number: release.number })}`}
      confirm={text(`release.${command}`)}
      isDanger={command === 'abort'}
      command={`release ${command} ${release.id}`}
      isPending={change.isPending}
      error={change.error}
      close={close}
      act={() => change.mutate({ release: release.id })}
    >
      <p>{text(`release.${command}Text`)}</p>
    </Dialog>
  )
}

type RollbackProps = { readonly release: Release; readonly name: string; readonly close: () => void }

/** Back to this Release, with what that changes against what serves now. */
export function RollbackDialog({ release, name, close }: RollbackProps) {
  const { text } = useText()
  const go = useGo()
  const [keepConfiguration, setKeep] = useState(false)
  const states = useAnswer('searchWorkloads', { text: name, limit: 10 }, { enabled: name !== '' })
  const serving = states.data?.items.find(({ workload }) => workload.id === release.workloadId)?.serving
  const diff = useAnswer(
    'getReleaseDiff',
    { release: release.id, ...(serving ? { with: serving.id } : {}) },
    { enabled: states.data !== undefined },
  )
  const roll = useChange('rollBackWorkload', (made) => {
    close()
    go(pathTo('release', { release: made.id }))
  })
  return (
    <Dialog
      title={text('release.rollbackTitle', { number: release.number })}
      confirm={text('release.rollback')}
      isDanger
      widthPx={640}
      command={`release rollback ${name} ${release.id}${keepConfiguration ? ' --keep-configuration' : ''}`}
      isPending={roll.isPending}
      error={roll.error}
      close={close}
      act={() => roll.mutate({ workload: release.workloadId, release: release.id, keepConfiguration })}
    >
      <p>{text('release.rollbackText', { number: release.number })}</p>
      <Loaded of={diff}>{(found) => <ReleaseDiffTable diff={found} />}</Loaded>
      <Checkbox checked={keepConfiguration} onChange={(event) => setKeep(event.target.checked)}>
        {text('release.keepConfiguration')} <small>{text('release.keepConfigurationHelp')}</small>
      </Checkbox>
    </Dialog>
  )
}
