import { Command } from 'cmdk'
import { useState } from 'react'

import type { Organization, Project } from '@slipway/contract'

import { useFound } from '../data/search.ts'
import { useText } from '../preferences/text.ts'
import { pathTo } from '../routes/path.ts'
import { useGo } from '../routes/use.ts'

/** The Projects below their Organizations, by typing a part of a name. */
export function ProjectChoices({ close }: { readonly close: () => void }) {
  const { text } = useText()
  const go = useGo()
  const [typed, setTyped] = useState('')
  const organizations = useFound('listOrganizations', typed)
  const projects = useFound('listProjects', typed)
  const groups = groupsOf(organizations.items, projects.items)
  const choose = (to: string): void => {
    close()
    go(to)
  }
  return (
    <Command className="choices" label={text('switcher.label')}>
      <Command.Input
        autoFocus
        placeholder={text('switcher.filter')}
        maxLength={100}
        value={typed}
        onValueChange={setTyped}
      />
      <Command.List>
        <Command.Empty>{text('switcher.none')}</Command.Empty>
        <Command.Item value="*" onSelect={() => choose(pathTo('projects'))}>
          {text('switcher.all')}
        </Command.Item>
        {groups.map(({ id, organization, projects: inside }) => (
          <Command.Group key={id} heading={organization?.name}>
            {inside.map((project) => (
              <Command.Item
                key={project.id}
                value={project.id}
                keywords={[project.name, project.slug, organization?.name ?? '', organization?.slug ?? '']}
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

type Group = {
  readonly id: string
  /** Undefined where only a Project of it is known. */
  readonly organization: Organization | undefined
  readonly projects: readonly Project[]
}

/** Projects by Organization, those that are known by name first, in their order. Pure. */
function groupsOf(organizations: readonly Organization[], projects: readonly Project[]): readonly Group[] {
  const below = Map.groupBy(projects, ({ organizationId }) => organizationId)
  const ids = new Set([...organizations.map(({ id }) => id), ...below.keys()])
  return [...ids].flatMap((id) => {
    const inside = below.get(id)
    const organization = organizations.find((one) => one.id === id)
    return inside === undefined ? [] : [{ id, organization, projects: inside }]
  })
}
