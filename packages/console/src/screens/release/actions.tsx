import { Button } from 'antd'
import { useState } from 'react'

import type { Release } from '@slipway/contract'

import { useAnswer, useChange } from '../../data/queries.ts'
import { AnswerDialog } from '../../objects/answer-dialog.tsx'
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
  const { id, state, paused } = release
  const isReturning = state === 'RollingBack'
  return (
    <>
      {state === 'WaitPerson' && (
        <>
          <Button type="primary" onClick={() => open('approve')}>
            {text('release.approve')}
          </Button>
          <Button onClick={() => open('reject')}>{text('release.reject')}</Button>
        </>
      )}
      {!isReturning &&
        (paused || state === 'Held' ? (
          <Button loading={resume.isPending} onClick={() => resume.mutate({ release: id })}>
            {text('release.resume')}
          </Button>
        ) : (
          <Button loading={pause.isPending} onClick={() => pause.mutate({ release: id })}>
            {text('release.pause')}
          </Button>
        ))}
      {!isReturning && (
        <>
          <Button onClick={() => open('promote')}>{text('release.promote')}</Button>
          <Button danger onClick={() => open('abort')}>
            {text('release.abort')}
          </Button>
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
  return (
    <>
      <Button
        loading={pin.isPending}
        onClick={() => pin.mutate({ release: release.id, pinned: !release.pinned })}
      >
        {text(release.pinned ? 'release.unpin' : 'release.pin')}
      </Button>
      <Button onClick={() => open('redeploy')}>{text('release.redeploy')}</Button>
      {release.kept && !serves && (
        <Button onClick={() => open('rollback')}>{text('release.rollbackTo')}</Button>
      )}
    </>
  )
}
