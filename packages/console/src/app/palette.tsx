import { Command } from 'cmdk'
import { Modal } from 'antd'

import { useAnswer } from '../data/queries.ts'
import { setPreferences, usePreferences } from '../preferences/store.ts'
import { useText } from '../preferences/text.ts'
import { pathTo } from '../routes/path.ts'
import { routeEntries } from '../routes/table.ts'
import { useGo } from '../routes/use.ts'
import { RouteIcon } from './route-icon.tsx'

type PaletteProps = { readonly isOpen: boolean; readonly close: () => void; readonly openSheet: () => void }

/** Everything one may go to or do, by typing a part of its name. */
export function Palette({ isOpen, close, openSheet }: PaletteProps) {
  const { text } = useText()
  return (
    <Modal
      open={isOpen}
      onCancel={close}
      footer={null}
      closable={false}
      width={560}
      className="palette"
      destroyOnHidden
      title={<span className="visually-hidden">{text('palette.label')}</span>}
    >
      <Command label={text('palette.label')}>
        <Command.Input autoFocus placeholder={text('palette.placeholder')} />
        <Command.List>
          <Command.Empty>{text('palette.empty')}</Command.Empty>
          <Places close={close} />
          <Objects close={close} />
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

function Objects({ close }: { readonly close: () => void }) {
  const { text } = useText()
  const go = useGo()
  const projects = useAnswer('listProjects', { limit: 200 })
  const workloads = useAnswer('listWorkloads', { limit: 200 })
  const applications = useAnswer('listApplications', { limit: 200 })
  const slugs = new Map(projects.data?.items.map(({ id, slug }) => [id, slug]))
  const choose = (to: string): void => {
    close()
    go(to)
  }
  // All come at once, so that what is chosen while somebody types is the best of all, not the first that was there.
  if (projects.isPending || workloads.isPending || applications.isPending) return null
  return (
    <>
      <Command.Group heading={text('palette.applications')}>
        {applications.data?.items.map(({ id, name, slug, projectId }) => (
          <Command.Item
            key={id}
            value={id}
            keywords={[name, `${slugs.get(projectId) ?? ''}/${slug}`]}
            onSelect={() => choose(pathTo('application', { application: id }))}
          >
            {slugs.get(projectId)}/{slug} <small>{name === slug ? '' : name}</small>
          </Command.Item>
        ))}
      </Command.Group>
      <Command.Group heading={text('palette.workloads')}>
        {workloads.data?.items.map(({ id, name }) => (
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
