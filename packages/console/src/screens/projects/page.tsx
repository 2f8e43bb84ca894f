import { PlusOutlined } from '@ant-design/icons'
import { Button, Form } from 'antd'
import { useState } from 'react'

import type { Organization, Project } from '@slipway/contract'

import { useAllRows, useChange, useRows } from '../../data/queries.ts'
import { Act } from '../../objects/may.tsx'
import { OrganizationPicker } from '../../objects/pick.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo } from '../../routes/use.ts'
import { CreateDialog, type NamedFields } from '../../ui/create-dialog.tsx'
import { Go } from '../../ui/go.tsx'
import { Grid } from '../../ui/grid/grid.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Page, Panel } from '../../ui/page.tsx'
import { Time } from '../../ui/time.tsx'
import { Icon } from '../../ui/icon.tsx'

const PAGE_ROWS = 100

/** Every Project one may see. */
export default function ProjectsPage() {
  const { text } = useText()
  const go = useGo()
  const [open, setOpen] = useState<'project' | 'organization'>()
  const organizations = useAllRows('listOrganizations', { limit: 200 })
  const projects = useRows('listProjects', { limit: PAGE_ROWS })
  const nameOf = (project: Project): string =>
    organizations.rows?.find(({ id }) => id === project.organizationId)?.name ?? ''
  return (
    <Page
      title={text('project.list')}
      command="project list"
      actions={
        <>
          <Act does="createOrganization" onClick={() => setOpen('organization')}>
            {text('project.newOrganization')}
          </Act>
          <Button
            type="primary"
            icon={<Icon of={PlusOutlined} />}
            disabled={organizations.rows?.length === 0}
            onClick={() => setOpen('project')}
          >
            {text('project.new')}
          </Button>
        </>
      }
    >
      <Panel title={text('project.list')} isFlush>
        <Loaded of={{ ...projects, data: projects.rows }}>
          {(rows) => (
            <Grid
              label={text('project.list')}
              of={{ ...projects, rows }}
              keyOf={({ id }) => id}
              open={({ id }) => go(pathTo('project', { project: id }))}
              columns={[
                {
                  id: 'name',
                  title: text('common.name'),
                  width: 'minmax(200px, 2fr)',
                  cell: ({ id, name }) => <Go to={pathTo('project', { project: id })}>{name}</Go>,
                },
                {
                  id: 'slug',
                  title: text('common.slug'),
                  width: 'minmax(120px, 1fr)',
                  cell: ({ slug }) => <code>{slug}</code>,
                },
                {
                  id: 'organization',
                  title: text('project.organization'),
                  width: 'minmax(140px, 1fr)',
                  cell: nameOf,
                },
                {
                  id: 'created',
                  title: text('common.created'),
                  width: '140px',
                  cell: ({ createdAt }) => <Time at={createdAt} />,
                },
              ]}
              empty={
                <Empty command="project create <slug> --organization <organization>">
                  {text('project.empty')}
                </Empty>
              }
            />
          )}
        </Loaded>
      </Panel>
      {open === 'project' && (
        <NewProject organizations={organizations.rows ?? []} close={() => setOpen(undefined)} />
      )}
      {open === 'organization' && <NewOrganization close={() => setOpen(undefined)} />}
    </Page>
  )
}

type ProjectFields = NamedFields & { readonly organization: string }
type NewProjectProps = { readonly organizations: readonly Organization[]; readonly close: () => void }

function NewProject({ organizations, close }: NewProjectProps) {
  const { text } = useText()
  const go = useGo()
  const create = useChange('createProject', (project) => go(pathTo('project', { project: project.id })))
  return (
    <CreateDialog<ProjectFields>
      title={text('project.new')}
      command="project create <slug> --organization <organization>"
      isPending={create.isPending}
      error={create.error}
      close={close}
      create={(fields) => create.mutate(fields)}
      initial={organizations[0] === undefined ? {} : { organization: organizations[0].id }}
    >
      <Form.Item name="organization" label={text('project.organization')}>
        <OrganizationPicker />
      </Form.Item>
    </CreateDialog>
  )
}

function NewOrganization({ close }: { readonly close: () => void }) {
  const { text } = useText()
  const create = useChange('createOrganization', close)
  return (
    <CreateDialog
      title={text('project.newOrganization')}
      command="organization create <slug>"
      isPending={create.isPending}
      error={create.error}
      close={close}
      create={(fields) => create.mutate(fields)}
    />
  )
}
