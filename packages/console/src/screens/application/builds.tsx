import type { Application } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'

import { useRows } from '../../data/queries.ts'
import { BuildStatus, shortCommit } from '../../objects/build.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo } from '../../routes/use.ts'
import { Go } from '../../ui/go.tsx'
import { Grid } from '../../ui/grid/grid.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Panel } from '../../ui/page.tsx'
import { Duration, Time } from '../../ui/time.tsx'

const EVERY_MS = 3 * SECOND_MS

/** What was built of an Application, newest first. */
export function Builds({ application, path }: { readonly application: Application; readonly path: string }) {
  const { text } = useText()
  const go = useGo()
  const builds = useRows('listBuilds', { application: application.id, limit: 50 }, { everyMs: EVERY_MS })
  return (
    <Panel title={text('build.list')} isFlush>
      <Loaded of={{ ...builds, data: builds.rows }}>
        {(rows) => (
          <Grid
            label={text('build.list')}
            of={{ ...builds, rows }}
            keyOf={({ id }) => id}
            open={({ id }) => go(pathTo('build', { build: id }))}
            columns={[
              {
                id: 'number',
                title: text('build.list'),
                width: 'minmax(100px, 1fr)',
                cell: ({ id, number }) => (
                  <Go to={pathTo('build', { build: id })}>{text('build.number', { number })}</Go>
                ),
              },
              {
                id: 'state',
                title: text('common.state'),
                width: 'minmax(120px, 1fr)',
                cell: ({ state }) => <BuildStatus state={state} />,
              },
              {
                id: 'commit',
                title: text('build.commit'),
                width: 'minmax(120px, 1fr)',
                cell: ({ commit, ref }) => <code title={commit}>{shortCommit(commit || ref)}</code>,
              },
              {
                id: 'by',
                title: text('release.who'),
                width: 'minmax(100px, 1fr)',
                cell: ({ createdBy }) => createdBy,
              },
              {
                id: 'took',
                title: text('build.duration'),
                width: '110px',
                isNumber: true,
                cell: ({ startedAt, endedAt }) =>
                  startedAt !== null && <Duration from={startedAt} until={endedAt} />,
              },
              {
                id: 'created',
                title: text('common.created'),
                width: '120px',
                cell: ({ createdAt }) => <Time at={createdAt} />,
              },
            ]}
            empty={<Empty command={`build start ${path}`}>{text('build.empty')}</Empty>}
          />
        )}
      </Loaded>
    </Panel>
  )
}
