import { UserOutlined } from '@ant-design/icons'
import { Popover } from 'antd'
import { useState } from 'react'

import type { Account } from '@slipway/contract'

import { useText } from '../preferences/text.ts'
import { Icon } from '../ui/icon.tsx'
import { accountPanelLater } from './later-parts.ts'

type MenuProps = { readonly account: Account; readonly openSheet: () => void }

/** The button with the name of who is signed in. */
export function AccountMenu({ account, openSheet }: MenuProps) {
  const { text } = useText()
  const [isOpen, setOpen] = useState(false)
  const { user } = account
  return (
    <Popover
      trigger="click"
      placement="bottomRight"
      open={isOpen}
      onOpenChange={setOpen}
      arrow={false}
      content={
        <accountPanelLater.Part
          account={account}
          openSheet={() => {
            setOpen(false)
            openSheet()
          }}
          waiting={<p className="account-menu">{text('common.loading')}</p>}
        />
      }
    >
      <button
        type="button"
        className="quiet-button"
        aria-label={`${user.name} · ${text('settings.open')}`}
        aria-expanded={isOpen}
      >
        <Icon of={UserOutlined} /> <span className="wide-only">{user.name}</span>
      </button>
    </Popover>
  )
}
