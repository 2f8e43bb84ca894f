import { PushpinOutlined } from '@ant-design/icons'

import { SECOND_MS } from '@slipway/kit'

import { useRows } from '../../data/queries.ts'
import { ReleaseLink, ReleaseStatus } from '../../objects/release.tsx'
import { WorkloadPage } from '../../objects/workload-page.tsx'
import { Act } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo, useRouteParams } from '../../routes/use.ts'
import { shortDigest } from '../../ui/copy.tsx'
import { Grid } from '../../ui/grid/grid.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Panel } from '../../ui/page.tsx'
import { Duration, Time } from '../../ui/time.tsx'
import { Icon } from '../../ui/icon.tsx'

const EVERY_MS = 2 * SECOND_MS

/** Every Release of a Workload, newest first. */
export default function WorkloadReleasesPage() {
  const { text } = useText()
  const go = useGo()
  const { workload: id } = useRouteParams<'workloadReleases'>()
  const releases = useRows('listReleases', { workload: id, limit: 100 }, { everyMs: EVERY_MS })
  return (
    <WorkloadPage
      id={id}
      command={(name) => `release list ${name}`}
      actions={
        <Act
          does="startRelease"
          where={{ workload: id }}
          type="primary"
          onClick={() => go(pathTo('startRelease', { workload: id }))}
        >
          {text('release.start')}
        </Act>
      }
    >
      {({ name }) => (
        <Panel title={text('release.list')} isFlush>
          <Loaded of={{ ...releases, data: releases.rows }}>
            {(rows) => (
              <Grid
                label={text('release.list')}
                of={{ ...releases, rows }}
                keyOf={(release) => release.id}
                open={(release) => go(pathTo('release', { release: release.id }))}
                columns={[
                  {
                    id: 'number',
                    title: text('release.number'),
                    width: 'minmax(110px, 1fr)',
                    cell: (release) => <ReleaseLink id={release.id} number={release.number} />,
                  },
                  {
                    id: 'state',
                    title: text('common.state'),
                    width: 'minmax(150px, 1.4fr)',
                    cell: ({ state, paused }) => <ReleaseStatus state={state} paused={paused} />,
                  },
                  {
                    id: 'image',
                    title: text('release.image'),
                    width: 'minmax(120px, 1fr)',
                    cell: ({ image }) => <code title={image}>{shortDigest(image)}</code>,
                  },
                  {
                    id: 'note',
                    title: text('release.what'),
                    width: 'minmax(130px, 1.4fr)',
                    cell: ({ fromId, kept, pinned }) =>
                      fromId === null ? (
                        <>
                          {pinned && <Icon of={PushpinOutlined} />}{' '}
                          {kept && <small>{text('release.kept')}</small>}
                        </>
                      ) : (
                        text('release.from')
                      ),
                  },
                  {
                    id: 'by',
                    title: text('release.who'),
                    width: 'minmax(90px, 1fr)',
                    cell: ({ createdBy }) => createdBy,
                  },
                  {
                    id: 'took',
                    title: text('release.duration'),
                    width: '110px',
                    isNumber: true,
                    cell: ({ createdAt, endedAt }) => <Duration from={createdAt} until={endedAt} />,
                  },
                  {
                    id: 'created',
                    title: text('common.created'),
                    width: '120px',
                    cell: ({ createdAt }) => <Time at={createdAt} />,
                  },
                ]}
                empty={
                  <Empty command={`release start ${name} --image <image>`}>{text('release.empty')}</Empty>
                }
              />
            )}
          </Loaded>
        </Panel>
      )}
    </WorkloadPage>
  )
}
