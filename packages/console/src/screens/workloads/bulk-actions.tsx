import { Button } from 'antd'
import { useState } from 'react'

import type { WorkloadState } from '@slipway/contract'

import { BulkDialog, type BulkItem } from '../../objects/bulk/bulk-dialog.tsx'
import type { Selection } from '../../objects/bulk/selection.tsx'
import { useText } from '../../preferences/text.ts'

type Active = NonNullable<WorkloadState['active']>
type Kind = 'restart' | 'approve' | 'abort'
type ActionsProps = { readonly selection: Selection<WorkloadState> }

/** What can be done with many Workloads at once; who may not, is told so for each before anything is done. */
export function BulkActions({ selection }: ActionsProps) {
  const { text } = useText()
  const [open, setOpen] = useState<Kind>()
  const under = underWay(selection.rows)
  const asking = under.filter(({ active }) => active.state === 'WaitPerson')
  const shared = { close: () => setOpen(undefined), done: selection.clear }
  return (
    <>
      <Button size="small" onClick={() => setOpen('restart')}>
        {text('workload.restart')}
      </Button>
      <Button size="small" disabled={asking.length === 0} onClick={() => setOpen('approve')}>
        {text('bulk.approve', { count: asking.length })}
      </Button>
      <Button size="small" danger disabled={under.length === 0} onClick={() => setOpen('abort')}>
        {text('bulk.abort', { count: under.length })}
      </Button>
      {open === 'restart' && (
        <BulkDialog
          {...shared}
          title={text('workload.restartMany', { count: selection.rows.length })}
          explanation={text('workload.restartText')}
          confirm={text('workload.restart')}
          operation="restartWorkload"
          items={selection.rows.map(({ workload: { id, name } }) => ({
            key: id,
            name,
            request: { workload: id },
          }))}
          command="workload restart <project>/<application>/<environment>"
        />
      )}
      {open === 'approve' && (
        <BulkDialog
          {...shared}
          title={text('bulk.approve', { count: asking.length })}
          explanation={text('bulk.approveText')}
          confirm={text('release.approve')}
          operation="approveRelease"
          items={asking.map(({ name, active }) => ({
            key: active.id,
            name,
            // The batch that is looked at now; a later one is another question.
            request: { release: active.id, approve: true, batch: active.batch },
          }))}
          command="gate approve <project>/<application>/<environment>"
        />
      )}
      {open === 'abort' && (
        <BulkDialog
          {...shared}
          title={text('bulk.abort', { count: under.length })}
          explanation={text('release.abortText')}
          confirm={text('release.abort')}
          isDanger
          operation="abortRelease"
          items={under.map(({ name, active }): BulkItem<'abortRelease'> => ({
            key: active.id,
            name,
            request: { release: active.id },
          }))}
          command="release abort <project>/<application>/<environment>"
        />
      )}
    </>
  )
}

function underWay(rows: readonly WorkloadState[]): readonly { name: string; active: Active }[] {
  return rows.flatMap(({ workload: { name }, active }) => (active === null ? [] : [{ name, active }]))
}
