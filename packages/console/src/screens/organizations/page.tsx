import { PlusOutlined } from '@ant-design/icons'
import { useState } from 'react'

import { useChange, useRows } from '../../data/queries.ts'
import { Act } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo } from '../../routes/use.ts'
import { CreateDialog } from '../../ui/create-dialog.tsx'
import { Go } from '../../ui/go.tsx'
import { Grid } from '../../ui/grid/grid.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Page, Panel } from '../../ui/page.tsx'
import { Time } from '../../ui/time.tsx'
import { branchesOf, type Branch } from './tree.ts'
import './tree.css'

/** The tree of Organizations, with the Projects of each. */
export default function OrganizationsPage() {
  const { text, language } = useText()
  const go = useGo()
  const [isOpen, setOpen] = useState(false)
  const organizations = useRows('listOrganizations', { limit: 200 })
  const projects = useRows('listProjects', { limit: 200 })
  const create = useChange('createOrganization', () => setOpen(false))
  const collator = new Intl.Collator(language)
  const projectsOf = (id: string) =>
    (projects.rows ?? []).filter(({ organizationId }) => organizationId === id)
  return (
    <Page
      title={text('organization.list')}
      command="organization list"
      actions={
        <Act
          does="createOrganization"
          type="primary"
          icon={<Icon of={PlusOutlined} />}
          onClick={() => setOpen(true)}
        >
          {text('organization.new')}
        </Act>
      }
    >
      <Panel title={text('organization.tree')} isFlush>
        <Loaded of={{ ...organizations, data: organizations.rows }}>
          {(rows) => (
            <Grid<Branch>
              label={text('organization.tree')}
              of={{ ...organizations, rows: branchesOf(rows, (a, b) => collator.compare(a, b)) }}
              keyOf={({ organization }) => organization.id}
              open={({ organization }) => go(pathTo('organization', { organization: organization.id }))}
              columns={[
                {
                  id: 'name',
                  title: text('common.name'),
                  width: 'minmax(220px, 2fr)',
                  cell: ({ organization, depth, path }) => (
                    <span className={`branch depth-${Math.min(depth, 8)}`} title={path}>
                      <Go to={pathTo('organization', { organization: organization.id })}>
                        {organization.name}
                      </Go>
                    </span>
                  ),
                },
                {
                  id: 'slug',
                  title: text('common.slug'),
                  width: 'minmax(100px, 1fr)',
                  cell: ({ organization }) => <code>{organization.slug}</code>,
                },
                {
                  id: 'projects',
                  title: text('organization.projects'),
                  width: 'minmax(180px, 3fr)',
                  cell: ({ organization }) => (
                    <span className="row-actions">
                      {projectsOf(organization.id).map(({ id, name }) => (
                        <Go key={id} to={pathTo('project', { project: id })}>
                          {name}
                        </Go>
                      ))}
                    </span>
                  ),
                },
                {
                  id: 'created',
                  title: text('common.created'),
                  width: '130px',
                  cell: ({ organization }) => <Time at={organization.createdAt} />,
                },
              ]}
              empty={<Empty command="organization create <slug>">{text('organization.empty')}</Empty>}
            />
          )}
        </Loaded>
      </Panel>
      {isOpen && (
        <CreateDialog
          title={text('organization.new')}
          command="organization create <slug>"
          isPending={create.isPending}
          error={create.error}
          close={() => setOpen(false)}
          create={(fields) => create.mutate(fields)}
        />
      )}
    </Page>
  )
}
