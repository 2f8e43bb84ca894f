import { BulbOutlined } from '@ant-design/icons'
import { Button, Segmented, Select } from 'antd'

import type { Account } from '@slipway/contract'
import type { Language } from '@slipway/messages'

import { cache, useChange } from '../data/queries.ts'
import { rememberSignedIn, tellOtherTabs } from '../data/session.ts'
import { setPreferences, usePreferences, type Preferences } from '../preferences/store.ts'
import { useText } from '../preferences/text.ts'
import { Icon } from '../ui/icon.tsx'

const zones: readonly string[] = ['UTC', ...Intl.supportedValuesOf('timeZone')]

type PanelProps = { readonly account: Account; readonly openSheet: () => void }

/** Who is signed in, how this browser shows things, and the way out. */
export function AccountPanel({ account: { user }, openSheet }: PanelProps) {
  const { text } = useText()
  const roles = user.platformRoles.map((role) => text(`settings.${role}`)).join(', ')
  return (
    <div className="account-menu">
      <p className="account-name">
        <strong>{user.displayName}</strong>
        <span>
          {user.name} {roles !== '' && `· ${roles}`}
        </span>
      </p>
      <Settings />
      <div className="account-actions">
        <Button type="text" size="small" icon={<Icon of={BulbOutlined} />} onClick={openSheet}>
          {text('shortcuts.title')}
        </Button>
        <a href="/docs" target="_blank" rel="noreferrer">
          {text('settings.docs')}
        </a>
        <SignOut />
      </div>
    </div>
  )
}

function Settings() {
  const { text } = useText()
  const { theme, density, language, zone } = usePreferences()
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone
  return (
    <div className="settings">
      <span aria-hidden="true">{text('settings.appearance')}</span>
      <Segmented<Preferences['theme']>
        aria-label={text('settings.appearance')}
        value={theme}
        onChange={(value) => setPreferences({ theme: value })}
        options={(['system', 'light', 'dark'] as const).map((value) => ({
          value,
          label: text(`settings.theme.${value}`),
        }))}
      />
      <span aria-hidden="true">{text('settings.density')}</span>
      <Segmented<Preferences['density']>
        aria-label={text('settings.density')}
        value={density}
        onChange={(value) => setPreferences({ density: value })}
        options={(['compact', 'comfortable'] as const).map((value) => ({
          value,
          label: text(`settings.density.${value}`),
        }))}
      />
      <span aria-hidden="true">{text('settings.language')}</span>
      <Segmented<Language>
        aria-label={text('settings.language')}
        value={language}
        onChange={(value) => setPreferences({ language: value })}
        options={[
          { value: 'zh-CN', label: <span lang="zh-CN">中文</span> },
          { value: 'en', label: <span lang="en">English</span> },
        ]}
      />
      <label htmlFor="settings-zone">{text('settings.zone')}</label>
      <Select
        id="settings-zone"
        showSearch
        value={zone}
        onChange={(value: string) => setPreferences({ zone: value })}
        options={[
          { value: 'local', label: text('settings.zone.local', { zone: own }) },
          ...zones.map((value) => ({ value, label: value })),
        ]}
      />
    </div>
  )
}

function SignOut() {
  const { text } = useText()
  const signOut = useChange('signOut', () => {
    rememberSignedIn(false)
    tellOtherTabs({ kind: 'signed-out' })
    cache.clear()
    window.location.assign('/')
  })
  return (
    <Button type="text" size="small" loading={signOut.isPending} onClick={() => signOut.mutate({})}>
      {text('settings.signOut')}
    </Button>
  )
}
