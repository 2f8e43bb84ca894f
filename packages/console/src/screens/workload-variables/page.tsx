import { useBlocker } from '@tanstack/react-router'
import { Button } from 'antd'
import { useState } from 'react'

import type { ConfigRevision, Workload } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'

import { useRows } from '../../data/queries.ts'
import { WorkloadPage } from '../../objects/workload-page.tsx'
import { Guarded, useLack } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { useRouteParams } from '../../routes/use.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Panel } from '../../ui/page.tsx'
import { Shape } from '../../ui/status.tsx'
import { differencesOf, draftTo, noDraft, parseLines, problemsOf, withAdded, type Draft } from './draft.ts'
import { PasteDialog, SaveDialog } from './dialogs.tsx'
import { History } from './history.tsx'
import { VariableTable } from './variable-table.tsx'
import './variables.css'

const EVERY_MS = 5 * SECOND_MS

/** The variables of a Workload: what they are, what one changes, and every revision there was. */
export default function WorkloadVariablesPage() {
  const { workload: id } = useRouteParams<'workloadVariables'>()
  return (
    <WorkloadPage id={id} command={(name) => `workload set ${name} NAME=value`}>
      {(workload) => <Variables workload={workload} />}
    </WorkloadPage>
  )
}

function Variables({ workload }: { readonly workload: Workload }) {
  const revisions = useRows(
    'listConfigRevisions',
    { workload: workload.id, limit: 50 },
    { everyMs: EVERY_MS },
  )
  return (
    <Loaded of={{ ...revisions, data: revisions.rows }}>
      {(rows) => <Editor workload={workload} revisions={rows} pages={revisions} />}
    </Loaded>
  )
}

type EditorProps = {
  readonly workload: Workload
  readonly revisions: readonly ConfigRevision[]
  readonly pages: { readonly hasNextPage: boolean; readonly fetchNextPage: () => Promise<unknown> }
}

function Editor({ workload, revisions, pages }: EditorProps) {
  const { text } = useText()
  const lack = useLack('setVariables', { workload: workload.id })
  const newest = revisions[0]
  const base = newest?.variables ?? []
  const [draft, setDraft] = useState<Draft>(noDraft)
  const [begunAt, setBegunAt] = useState<number>()
  const [open, setOpen] = useState<'save' | 'paste'>()
  const [saved, setSaved] = useState<number>()
  const differences = differencesOf(base, draft)
  const isChanged = differences.length > 0
  const change = (next: Draft): void => {
    if (!isChanged) setBegunAt(newest?.revision ?? 0)
    setSaved(undefined)
    setDraft(next)
  }
  const present = newest?.revision ?? 0
  return (
    <>
      <Leaving isChanged={isChanged} />
      <Panel
        title={text('variable.title')}
        isFlush
        beside={newest && <span className="soft">{text('variable.revision', { revision: present })}</span>}
        actions={
          <>
            <Guarded lack={lack} onClick={() => setOpen('paste')}>
              {text('variable.paste')}
            </Guarded>
            <Guarded
              lack={lack}
              onClick={() => change(withAdded(draft, [], { name: '', value: '', secret: false }))}
            >
              {text('variable.add')}
            </Guarded>
          </>
        }
      >
        {isChanged && begunAt !== undefined && begunAt < present && (
          <p className="notice" role="status">
            <Shape tone="warn" /> {text('variable.newer', { revision: present })}
          </p>
        )}
        {saved !== undefined && (
          <p className="notice" role="status">
            <Shape tone="good" /> {text('variable.saved', { revision: saved })}
          </p>
        )}
        <VariableTable base={base} draft={draft} change={change} name={workload.name} />
        {isChanged && (
          <div className="save-bar">
            <span>{text('variable.changes', { count: differences.length })}</span>
            <Button onClick={() => setDraft(noDraft)}>{text('variable.reset')}</Button>
            <Guarded
              lack={lack}
              type="primary"
              disabled={problemsOf(base, draft).size > 0}
              onClick={() => setOpen('save')}
            >
              {text('variable.review')}
            </Guarded>
          </div>
        )}
      </Panel>
      <History
        workload={workload}
        revisions={revisions}
        pages={pages}
        restore={({ variables }) => change(draftTo(base, variables))}
      />
      {open === 'save' && (
        <SaveDialog
          workload={workload}
          base={base}
          draft={draft}
          revision={present + 1}
          close={() => setOpen(undefined)}
          done={(revision) => {
            setDraft(noDraft)
            setSaved(revision)
            setOpen(undefined)
          }}
        />
      )}
      {open === 'paste' && (
        <PasteDialog
          close={() => setOpen(undefined)}
          take={(lines) => {
            let next = draft
            for (const line of parseLines(lines)) next = withAdded(next, base, { ...line, secret: false })
            change(next)
            setOpen(undefined)
          }}
        />
      )}
    </>
  )
}

/** Asks before changes that are not saved are left behind. */
function Leaving({ isChanged }: { readonly isChanged: boolean }) {
  const { text } = useText()
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => isChanged && current.pathname !== next.pathname,
    enableBeforeUnload: isChanged,
    withResolver: true,
  })
  if (blocker.status !== 'blocked') return null
  return (
    <Dialog
      title={text('variable.leaveTitle')}
      confirm={text('variable.reset')}
      isDanger
      isPending={false}
      error={null}
      close={blocker.reset}
      act={blocker.proceed}
    >
      <p>{text('variable.leaveText')}</p>
    </Dialog>
  )
}
