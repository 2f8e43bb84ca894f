import { useMemo, useRef, useState, type CSSProperties } from 'react'

import type { Workload } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'

import { useAnswer } from '../../data/queries.ts'
import { WorkloadPage } from '../../objects/workload-page.tsx'
import { useText } from '../../preferences/text.ts'
import { useTheme } from '../../preferences/theme.ts'
import { useRouteParams, useRouteSearch } from '../../routes/use.ts'
import { programColorProperties } from '../../theme/terminal.ts'
import { Refusal } from '../../ui/refusal.tsx'
import { LineList } from './line-list.tsx'
import type { Line } from './buffer.ts'
import { LineRow, type RowActions } from './line-row.tsx'
import './logs.css'
import { LogFoot } from './log-foot.tsx'
import { LogTools } from './tools.tsx'
import { useCursor } from './use-cursor.ts'
import { useLog } from './use-log.ts'
import { commandOf, viewOf, lineAddressText } from './view.ts'

const EVERY_MS = 5 * SECOND_MS

/** The logs of all Instances of a Workload as one, live. */
export default function WorkloadLogsPage() {
  const { workload: id } = useRouteParams<'workloadLogs'>()
  const [search] = useRouteSearch()
  const view = viewOf(id, search)
  return (
    <WorkloadPage id={id} command={(name) => commandOf(name, view)}>
      {(workload) => <MergedLog workload={workload} />}
    </WorkloadPage>
  )
}

function MergedLog({ workload }: { readonly workload: Workload }) {
  const { text } = useText()
  const [search, change] = useRouteSearch()
  const view = useMemo(() => viewOf(workload.id, search), [workload.id, search])
  const log = useLog(workload.id, view)
  const instances = useAnswer('listInstances', { workload: workload.id, limit: 200 }, { everyMs: EVERY_MS })
  const cursor = useCursor(log, view)
  const [wholeLines, setWholeLines] = useState<ReadonlySet<number>>(new Set())
  const link = (line: Line): void => {
    cursor.goTo(line.number)
    change({ line: lineAddressText(line), only: undefined })
  }
  const latestLink = useRef(link)
  latestLink.current = link
  const [actions] = useState<RowActions>(() => ({
    showWhole: ({ number }) => setWholeLines((before) => new Set([...before, number])),
    link: (line) => latestLink.current(line),
  }))
  const { buffer } = log
  const isNarrowed = view.find !== '' && view.onlyMatches
  const rows = isNarrowed ? buffer.matches : buffer.lines
  const dropped = buffer.dropped()
  const style = programColorProperties(useTheme()) as CSSProperties
  return (
    <section className="panel lines-frame" aria-label={text('log.title')} style={style}>
      <LogTools
        name={workload.name}
        view={view}
        change={change}
        instances={instances.data?.items ?? []}
        buffer={buffer}
        at={cursor.match}
        step={cursor.step}
        isFollowing={cursor.isFollowing}
        follow={() => cursor.follow(true)}
      />
      {log.error !== undefined && <Refusal error={log.error} retry={log.retry} />}
      <LineList
        label={text('log.title')}
        rows={rows}
        droppedCount={isNarrowed ? dropped.matches : dropped.lines}
        epoch={`${log.epoch} ${isNarrowed ? view.find : ''} ${view.hasTimes}`}
        version={log.version}
        isWrapped={view.isWrapped}
        isFollowing={cursor.isFollowing}
        follow={cursor.follow}
        target={cursor.target}
        onKey={cursor.onKey}
        render={(line) => (
          <LineRow
            line={line}
            view={view}
            isHere={line.number === cursor.here}
            isWhole={wholeLines.has(line.number)}
            actions={actions}
          />
        )}
      >
        {rows.length === 0 && log.error === undefined && (
          <p className={log.isLoaded ? 'lines-empty' : 'lines-empty loading'} role="status">
            {text(log.isLoaded ? (isNarrowed ? 'log.noMatch' : 'log.empty') : 'common.loading')}
          </p>
        )}
      </LineList>
      <LogFoot log={log} view={view} clear={() => change({ line: undefined })} />
    </section>
  )
}
