import { Checkbox, Form, Input } from 'antd'
import { useState } from 'react'

import type { PlatformRole, User } from '@slipway/contract'

import { useChange } from '../../data/queries.ts'
import { useText } from '../../preferences/text.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { PasswordInput } from '../../ui/password.tsx'

type Fields = {
  readonly displayName: string
  readonly password: string
  readonly platformRoles: readonly PlatformRole[]
}

export function NewUser({ close }: { readonly close: () => void }) {
  const { text } = useText()
  const [name, setName] = useState('')
  const [fields, setFields] = useState<Fields>({ displayName: '', password: '', platformRoles: [] })
  const create = useChange('createUser', close)
  const { displayName, password, platformRoles } = fields
  return (
    <Dialog
      title={text('user.new')}
      confirm={text('common.create')}
      command={`user create ${name || '<name>'}`}
      isPending={create.isPending}
      error={create.error}
      close={close}
      act={() =>
        create.mutate({
          name: name.trim(),
          password,
          platformRoles: [...platformRoles],
          ...(displayName.trim() === '' ? {} : { displayName: displayName.trim() }),
        })
      }
    >
      <Form layout="vertical" component="div">
        <Form.Item label={text('user.name')} extra={text('user.nameHelp')} htmlFor="user-name">
          <Input
            id="user-name"
            autoFocus
            spellCheck={false}
            autoCapitalize="none"
            autoComplete="off"
            maxLength={64}
            value={name}
            onChange={({ target }) => setName(target.value)}
          />
        </Form.Item>
        <UserFields fields={fields} set={setFields} passwordLabel={text('user.password')} />
      </Form>
    </Dialog>
  )
}

export function ChangeUser({ user, close }: { readonly user: User; readonly close: () => void }) {
  const { text } = useText()
  const [fields, setFields] = useState<Fields>({
    displayName: user.displayName,
    password: '',
    platformRoles: user.platformRoles,
  })
  const change = useChange('updateUser', close)
  const { displayName, password, platformRoles } = fields
  return (
    <Dialog
      title={text('user.changeTitle', { name: user.name })}
      confirm={text('common.save')}
      command={`user update ${user.name} --display-name <name>`}
      isPending={change.isPending}
      error={change.error}
      close={close}
      act={() =>
        change.mutate({
          user: user.id,
          platformRoles: [...platformRoles],
          ...(displayName.trim() === '' ? {} : { displayName: displayName.trim() }),
          ...(password === '' ? {} : { password }),
        })
      }
    >
      <Form layout="vertical" component="div">
        <UserFields fields={fields} set={setFields} passwordLabel={text('user.passwordNew')} />
      </Form>
    </Dialog>
  )
}

type FieldsProps = {
  readonly fields: Fields
  readonly set: (fields: Fields) => void
  readonly passwordLabel: string
}

function UserFields({ fields, set, passwordLabel }: FieldsProps) {
  const { text } = useText()
  return (
    <>
      <Form.Item label={text('user.displayName')} htmlFor="user-display-name">
        <Input
          id="user-display-name"
          maxLength={120}
          value={fields.displayName}
          onChange={({ target }) => set({ ...fields, displayName: target.value })}
        />
      </Form.Item>
      <Form.Item label={passwordLabel} extra={text('user.passwordHelp')} htmlFor="user-password">
        <PasswordInput
          id="user-password"
          autoComplete="new-password"
          maxLength={256}
          value={fields.password}
          onChange={({ target }) => set({ ...fields, password: target.value })}
        />
      </Form.Item>
      <Checkbox.Group<PlatformRole>
        aria-label={text('user.roles')}
        value={[...fields.platformRoles]}
        onChange={(platformRoles) => set({ ...fields, platformRoles })}
        options={(['operator', 'auditor'] as const).map((role) => ({
          value: role,
          label: text(`user.role.${role}`),
        }))}
      />
    </>
  )
}
