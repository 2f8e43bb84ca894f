import { useState } from 'react'

import type { Release } from '@slipway/contract'

import { useAnswer, useChange } from '../../data/queries.ts'
import { AnswerDialog } from '../../objects/answer-dialog.tsx'
import { Act, Guarded, useLack } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { CommandDialog, RollbackDialog, type Command } from './dialogs.tsx'

type ActionsProps = { readonly release: Release; readonly name: string }
type Open = Command | 'approve' | 'reject' | 'rollback' | undefined

/** What a person can do about a Release, in the state it is in. */
export function Actions({ release, name }: ActionsProps) {
  const [open, setOpen] = useState<Open>()
  const close = (): void => setOpen(undefined)
  return (
    <>
      {release.endedAt === null ? (
        <Running release={release} open={setOpen} />
      ) : (
        <Ended release={release} open={setOpen} />
      )}
      {(open === 'approve' || open === 'reject') && (
        <AnswerDialog release={release} approve={open === 'approve'} close={close} />
      )}
      {(open === 'promote' || open === 'abort' || open === 'redeploy') && (
        <CommandDialog release={release} command={open} close={close} />
      )}
      {open === 'rollback' && <RollbackDialog release={release} name={name} close={close} />}
    </>
  )
}

type PartProps = { readonly release: Release; readonly open: (what: Open) => void }

function Running({ release, open }: PartProps) {
  const { text } = useText()
  const pause = useChange('pauseRelease')
  const resume = useChange('resumeRelease')
  const { id, state, paused, workloadId } = release
  const approveLack = useLack('approveRelease', { workload: workloadId })
  const controlLack = useLack('pauseRelease', { workload: workloadId })
  const isReturning = state === 'RollingBack'
  return (
    <>
      {state === 'WaitPerson' && (
        <>
          <Guarded lack={approveLack} type="primary" onClick={() => open('approve')}>
            {text('release.approve')}
          </Guarded>
          <Guarded lack={approveLack} onClick={() => open('reject')}>
            {text('release.reject')}
          </Guarded>
        </>
      )}
      {!isReturning &&
        (paused || state === 'Held' ? (
          <Guarded
            lack={controlLack}
            loading={resume.isPending}
            onClick={() => resume.mutate({ release: id })}
          >
            {text('release.resume')}
          </Guarded>
        ) : (
          <Guarded lack={controlLack} loading={pause.isPending} onClick={() => pause.mutate({ release: id })}>
            {text('release.pause')}
          </Guarded>
        ))}
      {!isReturning && (
        <>
          <Guarded lack={controlLack} onClick={() => open('promote')}>
            {text('release.promote')}
          </Guarded>
          <Guarded lack={controlLack} danger onClick={() => open('abort')}>
            {text('release.abort')}
          </Guarded>
        </>
      )}
    </>
  )
}

function Ended({ release, open }: PartProps) {
  const { text } = useText()
  const workload = useAnswer('getWorkload', { workload: release.workloadId })
  const states = useAnswer(
    'searchWorkloads',
    {
      application: workload.data?.applicationId ?? '',
      environment: workload.data?.environmentId ?? '',
      limit: 1,
    },
    { enabled: workload.data !== undefined },
  )
  const serves = states.data?.items[0]?.serving?.id === release.id
  const pin = useChange('pinRelease')
  const where = { workload: release.workloadId }
  return (
    <>
      <Act
        does="pinRelease"
        where={where}
        loading={pin.isPending}
        onClick={() => pin.mutate({ release: release.id, pinned: !release.pinned })}
      >
        {text(release.pinned ? 'release.unpin' : 'release.pin')}
      </Act>
      <Act does="redeployRelease" where={where} onClick={() => open('redeploy')}>
        {text('release.redeploy')}
      </Act>
      {release.kept && !serves && (
        <Act does="rollBackWorkload" where={where} onClick={() => open('rollback')}>
          {text('release.rollbackTo')}
        </Act>
      )}
    </>
  )
}
