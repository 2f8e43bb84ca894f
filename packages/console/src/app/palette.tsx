import { Command } from 'cmdk'
import { Modal } from 'antd'
import { useState } from 'react'

import { useFound } from '../data/search.ts'
import { setPreferences, usePreferences } from '../preferences/store.ts'
import { useText } from '../preferences/text.ts'
import { pathTo } from '../routes/path.ts'
import { routeEntries } from '../routes/table.ts'
import { useGo } from '../routes/use.ts'
import { RouteIcon } from './route-icon.tsx'

type PaletteProps = {
  /** What was typed before the palette was there. */
  readonly typed: string
  readonly close: () => void
  readonly openSheet: () => void
}

/** Characters of a name that are looked for. */
const TYPED_MAX = 100

/** Everything one may go to or do, by typing a part of its name. */
export function Palette({ typed: typedBefore, close, openSheet }: PaletteProps) {
  const { text } = useText()
  const [typed, setTyped] = useState(typedBefore)
  return (
    <Modal
      open
      onCancel={close}
      footer={null}
      closable={false}
      width={560}
      className="palette"
      title={<span className="visually-hidden">{text('palette.label')}</span>}
    >
      <Command label={text('palette.label')}>
        <Command.Input
          autoFocus
          placeholder={text('palette.placeholder')}
          maxLength={TYPED_MAX}
          value={typed}
          onValueChange={setTyped}
        />
        <Command.List>
          <Command.Empty>{text('palette.empty')}</Command.Empty>
          <Places close={close} />
          <Objects typed={typed} close={close} />
          <Actions close={close} openSheet={openSheet} />
        </Command.List>
      </Command>
    </Modal>
  )
}

function Places({ close }: { readonly close: () => void }) {
  const { text } = useText()
  const go = useGo()
  const places = routeEntries.filter(([, entry]) => entry.isPublic !== true && !entry.path.includes('$'))
  return (
    <Command.Group heading={text('palette.go')}>
      {places.map(([name, entry]) => (
        <Command.Item
          key={name}
          value={`place ${name}`}
          keywords={[text(entry.title), entry.path]}
          onSelect={() => {
            close()
            go(entry.path)
          }}
        >
          <RouteIcon name={name} /> {text(entry.title)}
        </Command.Item>
      ))}
    </Command.Group>
  )
}

function Objects({ typed, close }: { readonly typed: string; readonly close: () => void }) {
  const { text } = useText()
  const go = useGo()
  const projects = useFound('listProjects', '')
  const workloads = useFound('listWorkloads', typed)
  // Applications are shown below the name of their Project, by which the server does not know them.
  const applications = useFound('listApplications', typed.split('/').at(-1) ?? '')
  const slugs = new Map(projects.items.map(({ id, slug }) => [id, slug]))
  const pathOf = (project: string, slug: string): string =>
    slugs.has(project) ? `${slugs.get(project)}/${slug}` : slug
  const choose = (to: string): void => {
    close()
    go(to)
  }
  // All come at once, so that what is chosen while somebody types is the best of all, not the first that was there.
  if (projects.isPending || workloads.isPending || applications.isPending) return null
  return (
    <>
      <Command.Group heading={text('palette.applications')}>
        {applications.items.map(({ id, name, slug, projectId }) => (
          <Command.Item
            key={id}
            value={id}
            keywords={[name, pathOf(projectId, slug)]}
            onSelect={() => choose(pathTo('application', { application: id }))}
          >
            {pathOf(projectId, slug)} <small>{name === slug ? '' : name}</small>
          </Command.Item>
        ))}
      </Command.Group>
      <Command.Group heading={text('palette.workloads')}>
        {workloads.items.map(({ id, name }) => (
          <Command.Item
            key={id}
            value={id}
            keywords={[name]}
            onSelect={() => choose(pathTo('workload', { workload: id }))}
          >
            {name}
          </Command.Item>
        ))}
      </Command.Group>
    </>
  )
}

function Actions({ close, openSheet }: { readonly close: () => void; readonly openSheet: () => void }) {
  const { text } = useText()
  const { language, theme } = usePreferences()
  const next = theme === 'system' ? 'light' : theme === 'light' ? 'dark' : 'system'
  const run = (act: () => void): void => {
    close()
    act()
  }
  return (
    <Command.Group heading={text('palette.actions')}>
      <Command.Item
        value="theme"
        keywords={[text('settings.appearance'), 'theme', 'dark', 'light']}
        onSelect={() => run(() => setPreferences({ theme: next }))}
      >
        {text('palette.theme', { theme: text(`settings.theme.${next}`) })}
      </Command.Item>
      <Command.Item
        value="language"
        keywords={[text('settings.language'), 'language', '语言', '中文', 'english']}
        onSelect={() => run(() => setPreferences({ language: language === 'en' ? 'zh-CN' : 'en' }))}
      >
        {text('palette.language')}
      </Command.Item>
      <Command.Item value="keys" keywords={[text('shortcuts.title'), '?']} onSelect={() => run(openSheet)}>
        {text('shortcuts.title')}
      </Command.Item>
    </Command.Group>
  )
}
