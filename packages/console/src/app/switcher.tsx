import { DownOutlined } from '@ant-design/icons'
import { useParams } from '@tanstack/react-router'
import { Popover } from 'antd'
import { Command } from 'cmdk'
import { useState } from 'react'

import { useAnswer } from '../data/queries.ts'
import { useText } from '../preferences/text.ts'
import { pathTo } from '../routes/path.ts'
import { useGo } from '../routes/use.ts'
import { Icon } from '../ui/icon.tsx'

/** Shows the Project one is in, and goes to another one; Projects stand below their Organizations. */
export function Switcher() {
  const { text } = useText()
  const [isOpen, setOpen] = useState(false)
  const params: { readonly project?: string } = useParams({ strict: false })
  const projects = useAnswer('listProjects', { limit: 200 })
  const shown = projects.data?.items.find(({ id }) => id === params.project)?.name ?? text('switcher.all')
  return (
    <Popover
      trigger="click"
      placement="bottomLeft"
      open={isOpen}
      onOpenChange={setOpen}
      arrow={false}
      destroyOnHidden
      content={<Choices close={() => setOpen(false)} />}
    >
      <button
        type="button"
        className="switcher"
        aria-label={`${shown} · ${text('switcher.label')}`}
        aria-expanded={isOpen}
      >
        <span>{shown}</span>
        <Icon of={DownOutlined} />
      </button>
    </Popover>
  )
}

function Choices({ close }: { readonly close: () => void }) {
  const { text } = useText()
  const go = useGo()
  const organizations = useAnswer('listOrganizations', { limit: 200 })
  const projects = useAnswer('listProjects', { limit: 200 })
  const choose = (to: string): void => {
    close()
    go(to)
  }
  return (
    <Command className="choices" label={text('switcher.label')}>
      <Command.Input autoFocus placeholder={text('switcher.filter')} />
      <Command.List>
        <Command.Empty>{text('switcher.none')}</Command.Empty>
        <Command.Item value="*" onSelect={() => choose(pathTo('projects'))}>
          {text('switcher.all')}
        </Command.Item>
        {organizations.data?.items.map((organization) => (
          <Command.Group key={organization.id} heading={organization.name}>
            {projects.data?.items
              .filter(({ organizationId }) => organizationId === organization.id)
              .map((project) => (
                <Command.Item
                  key={project.id}
                  value={project.id}
                  keywords={[project.name, project.slug, organization.name, organization.slug]}
                  onSelect={() => choose(pathTo('project', { project: project.id }))}
                >
                  {project.name} <code>{project.slug}</code>
                </Command.Item>
              ))}
          </Command.Group>
        ))}
      </Command.List>
    </Command>
  )
}
