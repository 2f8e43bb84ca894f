import { Input } from 'antd'
import { useState } from 'react'

import type { Organization } from '@slipway/contract'

import { useAnswer, useChange } from '../../data/queries.ts'
import { OrganizationPage } from '../../objects/organization-page.tsx'
import { Act } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo, useRouteParams } from '../../routes/use.ts'
import { CreateDialog } from '../../ui/create-dialog.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Go } from '../../ui/go.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Panel } from '../../ui/page.tsx'
import { Members } from './members.tsx'

/** An Organization: what is below it, its Projects, and who has which role. */
export default function OrganizationOverviewPage() {
  const { text } = useText()
  const { organization: id } = useRouteParams<'organization'>()
  const [open, setOpen] = useState<'rename' | 'delete'>()
  const close = (): void => setOpen(undefined)
  return (
    <OrganizationPage
      id={id}
      command={(slug) => `organization get ${slug}`}
      actions={() => (
        <>
          <Act does="updateOrganization" where={{ organization: id }} onClick={() => setOpen('rename')}>
            {text('organization.rename')}
          </Act>
          <Act
            does="deleteOrganization"
            where={{ organization: id }}
            danger
            onClick={() => setOpen('delete')}
          >
            {text('organization.delete')}
          </Act>
        </>
      )}
    >
      {(organization) => (
        <>
          <div className="columns">
            <Projects organization={organization} />
            <Below organization={organization} />
          </div>
          <Members organization={organization} />
          {open === 'rename' && <Rename organization={organization} close={close} />}
          {open === 'delete' && <Delete organization={organization} close={close} />}
        </>
      )}
    </OrganizationPage>
  )
}

type PartProps = { readonly organization: Organization }

function Projects({ organization }: PartProps) {
  const { text } = useText()
  const go = useGo()
  const [isOpen, setOpen] = useState(false)
  const projects = useAnswer('listProjects', { organization: organization.id, limit: 200 })
  const create = useChange('createProject', ({ id }) => go(pathTo('project', { project: id })))
  const command = `project create <slug> --organization ${organization.slug}`
  return (
    <Panel
      title={text('organization.projects')}
      isFlush
      actions={
        <Act does="createProject" where={{ organization: organization.id }} onClick={() => setOpen(true)}>
          {text('project.new')}
        </Act>
      }
    >
      <Loaded of={projects}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty command={command}>{text('organization.noProjects')}</Empty>
          ) : (
            <Names of={items} path={({ id }) => pathTo('project', { project: id })} />
          )
        }
      </Loaded>
      {isOpen && (
        <CreateDialog
          title={text('project.new')}
          command={command}
          isPending={create.isPending}
          error={create.error}
          close={() => setOpen(false)}
          create={(fields) => create.mutate({ ...fields, organization: organization.id })}
        />
      )}
    </Panel>
  )
}

type Named = { readonly id: string; readonly name: string; readonly slug: string }

function Names({ of, path }: { readonly of: readonly Named[]; readonly path: (one: Named) => string }) {
  return (
    <ul className="list">
      {of.map((one) => (
        <li key={one.id}>
          <span className="list-main">
            <Go to={path(one)}>{one.name}</Go>
          </span>
          <code className="list-side">{one.slug}</code>
        </li>
      ))}
    </ul>
  )
}

function Below({ organization }: PartProps) {
  const { text } = useText()
  const [isOpen, setOpen] = useState(false)
  const all = useAnswer('listOrganizations', { limit: 200 })
  const create = useChange('createSuborganization', () => setOpen(false))
  const command = `organization create <slug> --parent ${organization.slug}`
  return (
    <Panel
      title={text('organization.below')}
      isFlush
      actions={
        <Act
          does="createSuborganization"
          where={{ organization: organization.id }}
          onClick={() => setOpen(true)}
        >
          {text('organization.newBelow')}
        </Act>
      }
    >
      <Loaded of={all}>
        {({ items }) => {
          const children = items.filter(({ parentId }) => parentId === organization.id)
          if (children.length === 0) return <Empty command={command}>{text('organization.noneBelow')}</Empty>
          return <Names of={children} path={({ id }) => pathTo('organization', { organization: id })} />
        }}
      </Loaded>
      {isOpen && (
        <CreateDialog
          title={text('organization.newBelow')}
          command={command}
          isPending={create.isPending}
          error={create.error}
          close={() => setOpen(false)}
          create={(fields) => create.mutate({ ...fields, organization: organization.id })}
        />
      )}
    </Panel>
  )
}

type DialogProps = PartProps & { readonly close: () => void }

function Rename({ organization, close }: DialogProps) {
  const { text } = useText()
  const [name, setName] = useState(organization.name)
  const change = useChange('updateOrganization', close)
  return (
    <Dialog
      title={text('organization.rename')}
      confirm={text('common.save')}
      command={`organization update ${organization.slug} --name <name>`}
      isPending={change.isPending}
      error={change.error}
      close={close}
      act={() => change.mutate({ organization: organization.id, name: name.trim() })}
    >
      <Input
        autoFocus
        aria-label={text('common.name')}
        maxLength={120}
        value={name}
        onChange={({ target }) => setName(target.value)}
      />
    </Dialog>
  )
}

function Delete({ organization, close }: DialogProps) {
  const { text } = useText()
  const go = useGo()
  const remove = useChange('deleteOrganization', () => go(pathTo('organizations')))
  return (
    <Dialog
      title={text('organization.deleteTitle', { name: organization.name })}
      confirm={text('organization.delete')}
      isDanger
      command={`organization delete ${organization.slug}`}
      isPending={remove.isPending}
      error={remove.error}
      close={close}
      act={() => remove.mutate({ organization: organization.id })}
    >
      <p>{text('organization.deleteText')}</p>
    </Dialog>
  )
}
