import { Modal, Switch } from 'antd'
import type { ReactNode } from 'react'

import { setPreferences, usePreferences } from '../preferences/store.ts'
import { useText } from '../preferences/text.ts'
import { routeEntries } from '../routes/table.ts'
import { isMac } from './platform.ts'

/** Every key and what it does, from the same table as the keys themselves. */
export function ShortcutSheet({ close }: { readonly close: () => void }) {
  const { text } = useText()
  const { singleKeys } = usePreferences()
  const rows: readonly (readonly [ReactNode, string])[] = [
    [<Keys keys={[isMac() ? '⌘' : 'Ctrl', 'K']} />, text('shortcuts.palette')],
    [<Keys keys={['?']} />, text('shortcuts.sheet')],
    [<Keys keys={['/']} />, text('shortcuts.filter')],
    ...routeEntries
      .filter(([, entry]) => entry.key !== undefined)
      .map(
        ([, entry]) =>
          [
            <Keys keys={['g', entry.key ?? '']} between={text('shortcuts.then')} />,
            `${text('palette.go')} ${text(entry.title)}`,
          ] as const,
      ),
    [<Keys keys={['↑', '↓', 'Home', 'End']} />, text('shortcuts.rows')],
    [<Keys keys={['Enter']} />, text('shortcuts.openRow')],
  ]
  return (
    <Modal open onCancel={close} title={text('shortcuts.title')} footer={null} width={460}>
      <dl className="shortcuts">
        {rows.map(([keys, said]) => (
          <div key={said}>
            <dt>{keys}</dt>
            <dd>{said}</dd>
          </div>
        ))}
      </dl>
      <label className="switch-line">
        <Switch
          size="small"
          checked={singleKeys}
          onChange={(isOn) => setPreferences({ singleKeys: isOn })}
          aria-label={text('shortcuts.single')}
        />
        <span>
          {text('shortcuts.single')} <small>{text('shortcuts.singleHelp')}</small>
        </span>
      </label>
    </Modal>
  )
}

function Keys({ keys, between }: { readonly keys: readonly string[]; readonly between?: string }) {
  return (
    <span className="keys">
      {keys.map((key, index) => (
        <span key={key}>
          {index > 0 && between !== undefined && <small>{between}</small>}
          <kbd>{key}</kbd>
        </span>
      ))}
    </span>
  )
}
