import { PlusOutlined } from '@ant-design/icons'
import { useState } from 'react'

import type { User } from '@slipway/contract'

import { useChange, useRows } from '../../data/queries.ts'
import { Act, Allowed, Guarded, useLack } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Grid } from '../../ui/grid/grid.tsx'
import { buttonsWidth } from '../../ui/grid/width.ts'
import { Icon } from '../../ui/icon.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Page, Panel } from '../../ui/page.tsx'
import { Status } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'
import { ChangeUser, NewUser } from './dialogs.tsx'

type Open = { readonly kind: 'new' } | { readonly kind: 'change' | 'disable'; readonly user: User }

/** Everybody who may sign in to this installation. */
export default function UsersPage() {
  const { text } = useText()
  const [open, setOpen] = useState<Open>()
  const close = (): void => setOpen(undefined)
  return (
    <Page
      title={text('user.list')}
      command="user list"
      actions={
        <Act
          does="createUser"
          type="primary"
          icon={<Icon of={PlusOutlined} />}
          onClick={() => setOpen({ kind: 'new' })}
        >
          {text('user.new')}
        </Act>
      }
    >
      <Panel title={text('user.list')} isFlush>
        <Allowed does="listUsers">
          <UserList open={setOpen} />
        </Allowed>
      </Panel>
      {open?.kind === 'new' && <NewUser close={close} />}
      {open?.kind === 'change' && <ChangeUser user={open.user} close={close} />}
      {open?.kind === 'disable' && <DisableUser user={open.user} close={close} />}
    </Page>
  )
}

function UserList({ open }: { readonly open: (what: Open) => void }) {
  const { text } = useText()
  const lack = useLack('updateUser')
  const users = useRows('listUsers', { limit: 100 })
  const enable = useChange('updateUser')
  return (
    <Loaded of={{ ...users, data: users.rows }}>
      {(rows) => (
        <Grid
          label={text('user.list')}
          of={{ ...users, rows }}
          keyOf={({ id }) => id}
          {...(lack === undefined ? { open: (user: User) => open({ kind: 'change', user }) } : {})}
          columns={[
            {
              id: 'name',
              title: text('user.name'),
              width: 'minmax(140px, 1fr)',
              cell: ({ name }) => <code>{name}</code>,
            },
            {
              id: 'displayName',
              title: text('user.displayName'),
              width: 'minmax(140px, 1.4fr)',
              cell: ({ displayName }) => displayName,
            },
            {
              id: 'roles',
              title: text('user.roles'),
              width: 'minmax(140px, 1fr)',
              cell: ({ platformRoles }) => platformRoles.map((role) => text(`settings.${role}`)).join(', '),
            },
            {
              id: 'state',
              title: text('common.state'),
              width: '110px',
              cell: ({ disabled }) => (
                <Status tone={disabled ? 'idle' : 'good'}>
                  {text(disabled ? 'user.disabled' : 'user.active')}
                </Status>
              ),
            },
            {
              id: 'created',
              title: text('common.created'),
              width: '120px',
              cell: ({ createdAt }) => <Time at={createdAt} />,
            },
            {
              id: 'actions',
              title: text('common.actions'),
              isTitleHidden: true,
              width: buttonsWidth([text('user.change'), text('user.disable')]),
              cell: (user) => (
                <span className="row-actions">
                  <Guarded
                    lack={lack}
                    type="text"
                    size="small"
                    onClick={() => open({ kind: 'change', user })}
                  >
                    {text('user.change')}
                  </Guarded>
                  {user.disabled ? (
                    <Guarded
                      lack={lack}
                      type="text"
                      size="small"
                      onClick={() => enable.mutate({ user: user.id, disabled: false })}
                    >
                      {text('user.enable')}
                    </Guarded>
                  ) : (
                    <Guarded
                      lack={lack}
                      type="text"
                      size="small"
                      onClick={() => open({ kind: 'disable', user })}
                    >
                      {text('user.disable')}
                    </Guarded>
                  )}
                </span>
              ),
            },
          ]}
          empty={<Empty command="user create <name>">{text('user.empty')}</Empty>}
        />
      )}
    </Loaded>
  )
}

function DisableUser({ user, close }: { readonly user: User; readonly close: () => void }) {
  const { text } = useText()
  const disable = useChange('updateUser', close)
  return (
    <Dialog
      title={text('user.disableTitle', { name: user.name })}
      confirm={text('user.disable')}
      isDanger
      command={`user update ${user.name} --disable`}
      isPending={disable.isPending}
      error={disable.error}
      close={close}
      act={() => disable.mutate({ user: user.id, disabled: true })}
    >
      <p>{text('user.disableText')}</p>
    </Dialog>
  )
}
