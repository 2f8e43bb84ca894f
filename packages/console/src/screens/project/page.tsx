import { PlusOutlined } from '@ant-design/icons'
import { Form, Select } from 'antd'
import { useState } from 'react'

import { useAnswer, useChange, useRows } from '../../data/queries.ts'
import { ByName } from '../../objects/by-name.tsx'
import { Act } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo, useRouteParams } from '../../routes/use.ts'
import { CreateDialog, type NamedFields } from '../../ui/create-dialog.tsx'
import { Go } from '../../ui/go.tsx'
import { Grid } from '../../ui/grid/grid.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Page, Panel } from '../../ui/page.tsx'
import { Time } from '../../ui/time.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Locations } from './locations.tsx'

/** A Project by its id, or by its short name, as the command line links to it. */
export default function ProjectPage() {
  const { project } = useRouteParams<'project'>()
  return project.startsWith('prj_') ? <ProjectView id={project} /> : <ByName project={project} />
}

/** A Project: its Applications and the Environments they run in. */
function ProjectView({ id }: { readonly id: string }) {
  const { text } = useText()
  const go = useGo()
  const project = useAnswer('getProject', { project: id })
  const applications = useRows('listApplications', { project: id, limit: 100 })
  return (
    <Loaded of={project}>
      {({ name, slug }) => (
        <Page
          title={name}
          trail={[{ label: text('project.list'), to: pathTo('projects') }]}
          beside={<code>{slug}</code>}
          command={`project get ${slug}`}
          actions={
            <Act
              does="createApplication"
              where={{ project: id }}
              type="primary"
              icon={<Icon of={PlusOutlined} />}
              onClick={() => go(pathTo('newApplication', undefined, { project: id }))}
            >
              {text('application.new')}
            </Act>
          }
        >
          <Environments projectId={id} projectSlug={slug} />
          <Locations projectId={id} projectSlug={slug} />
          <Panel title={text('application.list')} isFlush>
            <Loaded of={{ ...applications, data: applications.rows }}>
              {(rows) => (
                <Grid
                  label={text('application.list')}
                  of={{ ...applications, rows }}
                  keyOf={(row) => row.id}
                  open={(row) => go(pathTo('application', { application: row.id }))}
                  columns={[
                    {
                      id: 'name',
                      title: text('common.name'),
                      width: 'minmax(200px, 2fr)',
                      cell: (row) => <Go to={pathTo('application', { application: row.id })}>{row.name}</Go>,
                    },
                    {
                      id: 'slug',
                      title: text('common.slug'),
                      width: 'minmax(120px, 1fr)',
                      cell: (row) => <code>{row.slug}</code>,
                    },
                    {
                      id: 'created',
                      title: text('common.created'),
                      width: '140px',
                      cell: (row) => <Time at={row.createdAt} />,
                    },
                  ]}
                  empty={
                    <Empty command={`application create ${slug}/<application>`}>
                      {text('application.empty')}
                    </Empty>
                  }
                />
              )}
            </Loaded>
          </Panel>
        </Page>
      )}
    </Loaded>
  )
}

type EnvironmentsProps = { readonly projectId: string; readonly projectSlug: string }

function Environments({ projectId, projectSlug }: EnvironmentsProps) {
  const { text } = useText()
  const [isOpen, setOpen] = useState(false)
  const environments = useAnswer('listEnvironments', { project: projectId, limit: 200 })
  const clusters = useAnswer('listClusters', { limit: 200 })
  const command = `environment create ${projectSlug}/<environment>`
  return (
    <Panel
      title={text('project.environments')}
      isFlush
      actions={
        <Act does="createEnvironment" where={{ project: projectId }} onClick={() => setOpen(true)}>
          {text('project.newEnvironment')}
        </Act>
      }
    >
      <Loaded of={environments}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty command={command}>{text('project.noEnvironments')}</Empty>
          ) : (
            <ul className="list">
              {items.map(({ id, name, slug, clusterId }) => (
                <li key={id}>
                  <span className="list-main">
                    <Go to={pathTo('workloads', undefined, { environment: id })}>{name}</Go>
                  </span>
                  <span className="list-side">
                    <code>{slug}</code>
                    <span>{clusters.data?.items.find((cluster) => cluster.id === clusterId)?.name}</span>
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      {isOpen && <NewEnvironment projectId={projectId} command={command} close={() => setOpen(false)} />}
    </Panel>
  )
}

type NewEnvironmentProps = {
  readonly projectId: string
  readonly command: string
  readonly close: () => void
}

function NewEnvironment({ projectId, command, close }: NewEnvironmentProps) {
  const { text } = useText()
  const clusters = useAnswer('listClusters', { limit: 200 })
  const locations = useAnswer('listLocations', { limit: 200 }, { quiet: true })
  const create = useChange('createEnvironment', close)
  return (
    <CreateDialog<NamedFields & { readonly cluster?: string; readonly location?: string }>
      title={text('project.newEnvironment')}
      command={command}
      isPending={create.isPending}
      error={create.error}
      close={close}
      create={(fields) => create.mutate({ ...fields, project: projectId })}
    >
      <Form.Item name="location" label={text('location.overview')} extra={text('location.placeHelp')}>
        <Select
          allowClear
          placeholder={text('location.any')}
          options={(locations.data?.items ?? []).map(({ slug, name }) => ({ value: slug, label: name }))}
        />
      </Form.Item>
      <Form.Item name="cluster" label={text('project.cluster')}>
        <Select
          allowClear
          placeholder={text('project.clusterDefault')}
          options={(clusters.data?.items ?? []).map(({ slug, name }) => ({ value: slug, label: name }))}
        />
      </Form.Item>
    </CreateDialog>
  )
}
