import { PlusOutlined } from '@ant-design/icons'
import { Button } from 'antd'

import { useAllRows, useRows } from '../../data/queries.ts'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo, useRouteSearch } from '../../routes/use.ts'
import { Filter } from '../../ui/filter.tsx'
import { Go } from '../../ui/go.tsx'
import { Grid } from '../../ui/grid/grid.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Page, Panel } from '../../ui/page.tsx'
import { Time } from '../../ui/time.tsx'
import { Icon } from '../../ui/icon.tsx'

const PAGE_ROWS = 200
const TEXT_MAX = 100

/** Every Application one may see, whether it runs or not. */
export default function ApplicationsPage() {
  const { text } = useText()
  const go = useGo()
  const [search, setSearch] = useRouteSearch()
  const wanted = (search['text'] ?? '').trim().slice(0, TEXT_MAX)
  const applications = useRows('listApplications', {
    limit: PAGE_ROWS,
    ...(wanted === '' ? {} : { text: wanted }),
  })
  const projects = useAllRows('listProjects', { limit: PAGE_ROWS })
  const projectOf = (id: string): string => projects.rows?.find((one) => one.id === id)?.name ?? ''
  return (
    <Page
      title={text('application.list')}
      command="application list"
      actions={
        <Button type="primary" icon={<Icon of={PlusOutlined} />} onClick={() => go(pathTo('newApplication'))}>
          {text('application.new')}
        </Button>
      }
    >
      <div className="toolbar">
        <Filter
          label={text('application.filter')}
          value={wanted}
          change={(value) => setSearch({ text: value })}
        />
      </div>
      <Panel title={text('application.list')} isFlush>
        <Loaded of={{ ...applications, data: applications.rows }}>
          {(rows) => (
            <Grid
              label={text('application.list')}
              of={{ ...applications, rows }}
              keyOf={({ id }) => id}
              open={({ id }) => go(pathTo('application', { application: id }))}
              columns={[
                {
                  id: 'name',
                  title: text('common.name'),
                  width: 'minmax(200px, 2fr)',
                  cell: ({ id, name }) => <Go to={pathTo('application', { application: id })}>{name}</Go>,
                },
                {
                  id: 'slug',
                  title: text('common.slug'),
                  width: 'minmax(120px, 1fr)',
                  cell: ({ slug }) => <code>{slug}</code>,
                },
                {
                  id: 'project',
                  title: text('application.project'),
                  width: 'minmax(140px, 1fr)',
                  cell: ({ projectId }) => (
                    <Go to={pathTo('project', { project: projectId })}>{projectOf(projectId)}</Go>
                  ),
                },
                {
                  id: 'created',
                  title: text('common.created'),
                  width: '140px',
                  cell: ({ createdAt }) => <Time at={createdAt} />,
                },
              ]}
              empty={
                <Empty command="application create <project>/<application>">
                  {text(wanted === '' ? 'application.empty' : 'application.noMatch')}
                </Empty>
              }
            />
          )}
        </Loaded>
      </Panel>
    </Page>
  )
}
