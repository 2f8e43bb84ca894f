import { Button, Modal } from 'antd'
import { useState } from 'react'

import type { ConfigRevision, Workload } from '@slipway/contract'

import { useAnswer } from '../../data/queries.ts'
import { useServing } from '../../objects/serving.ts'
import { useText } from '../../preferences/text.ts'
import { CommandLine } from '../../ui/command.tsx'
import { Empty, Panel } from '../../ui/page.tsx'
import { Status } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'
import { DifferenceTable, secretsOf } from './difference-table.tsx'
import { compareRevisions } from './draft.ts'

type HistoryProps = {
  readonly workload: Workload
  /** Newest first. */
  readonly revisions: readonly ConfigRevision[]
  readonly pages: { readonly hasNextPage: boolean; readonly fetchNextPage: () => Promise<unknown> }
  readonly restore: (revision: ConfigRevision) => void
}

/** Every revision there was: who made it, what it changed, and the way back to it. */
export function History({ workload, revisions, pages, restore }: HistoryProps) {
  const { text } = useText()
  const [looked, setLooked] = useState<ConfigRevision>()
  const serving = useServing(workload)
  return (
    <Panel title={text('variable.history')} isFlush>
      {revisions.length === 0 && (
        <Empty command={`workload history ${workload.name}`}>{text('variable.empty')}</Empty>
      )}
      <ul className="list revisions">
        {revisions.map((one, index) => (
          <li key={one.revision}>
            <span className="list-main">
              <strong>{text('variable.revision', { revision: one.revision })}</strong>
              {one.comment !== '' && <span className="soft">{one.comment}</span>}
            </span>
            <span className="list-side">
              {serving?.configRevision === one.revision && (
                <Status tone="good">{text('variable.serving')}</Status>
              )}
              {index === 0 && <span>{text('variable.current')}</span>}
              <span>{one.createdBy}</span>
              <Time at={one.createdAt} />
              <Button type="text" size="small" onClick={() => setLooked(one)}>
                {text('variable.compare')}
              </Button>
              <Button type="text" size="small" disabled={index === 0} onClick={() => restore(one)}>
                {text('variable.restore')}
              </Button>
            </span>
          </li>
        ))}
      </ul>
      {pages.hasNextPage && (
        <Button type="link" onClick={() => void pages.fetchNextPage()}>
          {text('common.more')}
        </Button>
      )}
      {looked && <Looked revision={looked} workload={workload} close={() => setLooked(undefined)} />}
    </Panel>
  )
}

type LookedProps = {
  readonly revision: ConfigRevision
  readonly workload: Workload
  readonly close: () => void
}

function Looked({ revision, workload, close }: LookedProps) {
  const { text } = useText()
  const before = useAnswer('listConfigRevisions', { workload: workload.id, limit: 200 }).data?.items.find(
    (one) => one.revision === revision.revision - 1,
  )
  return (
    <Modal
      open
      width={720}
      footer={null}
      onCancel={close}
      title={text(before ? 'variable.compare' : 'variable.first')}
    >
      <div className="dialog">
        <DifferenceTable
          rows={compareRevisions(before?.variables ?? [], revision.variables)}
          secrets={secretsOf(before?.variables ?? [], revision.variables)}
        />
        <CommandLine line={`workload history ${workload.name}`} />
      </div>
    </Modal>
  )
}
