import type { Instance } from '@slipway/contract'

import { useChange } from '../data/queries.ts'
import { useText } from '../preferences/text.ts'
import { Dialog } from '../ui/dialog.tsx'

type RestartProps = { readonly instance: Instance; readonly close: () => void }

/** Asks whether one Instance is to be replaced. */
export function RestartInstance({ instance, close }: RestartProps) {
  const { text } = useText()
  const restart = useChange('restartInstance', close)
  return (
    <Dialog
      title={text('instance.restart')}
      confirm={text('workload.restart')}
      command={`instance restart ${instance.id}`}
      isPending={restart.isPending}
      error={restart.error}
      close={close}
      act={() => restart.mutate({ instance: instance.id })}
    >
      <p>
        <code>{instance.name}</code>
      </p>
      <p>{text('instance.restartText')}</p>
    </Dialog>
  )
}
