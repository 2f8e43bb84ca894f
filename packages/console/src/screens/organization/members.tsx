import { Form } from 'antd'
import { useState } from 'react'

import type { Member, Organization, OrganizationRole, Project, User } from '@slipway/contract'

import { useAllRows, useChange, useRows } from '../../data/queries.ts'
import { Guarded, useLack } from '../../objects/may.tsx'
import { ProjectPicker, UserPicker } from '../../objects/pick.tsx'
import { RoleSelect } from '../../objects/role.tsx'
import { useText } from '../../preferences/text.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Grid } from '../../ui/grid/grid.tsx'
import { buttonsWidth } from '../../ui/grid/width.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Panel } from '../../ui/page.tsx'

type MembersProps = { readonly organization: Organization }
type Open = { readonly kind: 'add' } | { readonly kind: 'change' | 'remove'; readonly member: Member }

/** Who has which role in an Organization and its Projects. */
export function Members({ organization }: MembersProps) {
  const { text } = useText()
  const [open, setOpen] = useState<Open>()
  const lack = useLack('setMember', { organization: organization.id })
  const members = useRows('listMembers', { organization: organization.id, limit: 100 })
  const projects = useAllRows('listProjects', { organization: organization.id, limit: 200 })
  const placeOf = ({ projectId }: Member): string =>
    projectId === null
      ? text('member.whole')
      : (projects.rows?.find(({ id }) => id === projectId)?.name ?? projectId)
  const close = (): void => setOpen(undefined)
  return (
    <Panel
      title={text('member.list')}
      isFlush
      actions={
        <Guarded lack={lack} onClick={() => setOpen({ kind: 'add' })}>
          {text('member.add')}
        </Guarded>
      }
    >
      <Loaded of={{ ...members, data: members.rows }}>
        {(rows) => (
          <Grid
            label={text('member.list')}
            of={{ ...members, rows }}
            keyOf={({ userId, projectId }) => `${userId} ${projectId ?? ''}`}
            columns={[
              {
                id: 'user',
                title: text('member.user'),
                width: 'minmax(160px, 2fr)',
                cell: ({ userName }) => userName,
              },
              {
                id: 'role',
                title: text('member.role'),
                width: 'minmax(120px, 1fr)',
                cell: ({ role }) => text(`member.role.${role}`),
              },
              { id: 'where', title: text('member.where'), width: 'minmax(160px, 2fr)', cell: placeOf },
              {
                id: 'actions',
                title: text('common.actions'),
                isTitleHidden: true,
                width: buttonsWidth([text('member.change'), text('member.remove')]),
                cell: (member) => (
                  <span className="row-actions">
                    <Guarded
                      lack={lack}
                      type="text"
                      size="small"
                      onClick={() => setOpen({ kind: 'change', member })}
                    >
                      {text('member.change')}
                    </Guarded>
                    <Guarded
                      lack={lack}
                      type="text"
                      size="small"
                      onClick={() => setOpen({ kind: 'remove', member })}
                    >
                      {text('member.remove')}
                    </Guarded>
                  </span>
                ),
              },
            ]}
            empty={
              <Empty command={`member set <user> --role developer --organization ${organization.slug}`}>
                {text('member.empty')}
              </Empty>
            }
          />
        )}
      </Loaded>
      {open?.kind === 'add' && (
        <SetMember organization={organization} projects={projects.rows ?? []} close={close} />
      )}
      {open?.kind === 'change' && (
        <SetMember
          organization={organization}
          projects={projects.rows ?? []}
          member={open.member}
          close={close}
        />
      )}
      {open?.kind === 'remove' && (
        <RemoveMember organization={organization} member={open.member} close={close} />
      )}
    </Panel>
  )
}

type SetProps = MembersProps & {
  readonly projects: readonly Project[]
  readonly member?: Member
  readonly close: () => void
}

const WHOLE = '*'

function SetMember({ organization, projects, member, close }: SetProps) {
  const { text } = useText()
  const [user, setUser] = useState<Pick<User, 'id' | 'name'> | undefined>(
    member && { id: member.userId, name: member.userName },
  )
  const [role, setRole] = useState<OrganizationRole>(member?.role ?? 'developer')
  const [place, setPlace] = useState(member?.projectId ?? WHOLE)
  const set = useChange('setMember', close)
  const project = projects.find(({ id }) => id === place)
  return (
    <Dialog
      title={text(member ? 'member.change' : 'member.add')}
      confirm={text('common.save')}
      command={`member set ${user?.name ?? '<user>'} --role ${role} --organization ${organization.slug}${project ? ` --project ${project.slug}` : ''}`}
      isPending={set.isPending}
      error={set.error}
      close={close}
      act={() =>
        user !== undefined &&
        set.mutate({
          organization: organization.id,
          user: user.id,
          role,
          ...(place === WHOLE ? {} : { projectId: place }),
        })
      }
    >
      <Form layout="vertical" component="div">
        <Form.Item label={text('member.user')} htmlFor="member-user">
          <UserPicker
            id="member-user"
            autoFocus
            disabled={member !== undefined}
            value={user?.id}
            choose={setUser}
            chosen={member && { value: member.userId, label: member.userName }}
          />
        </Form.Item>
        <Form.Item label={text('member.role')} htmlFor="member-role">
          <RoleSelect id="member-role" value={role} set={setRole} />
        </Form.Item>
        <Form.Item label={text('member.where')} htmlFor="member-where">
          <ProjectPicker
            id="member-where"
            organization={organization.id}
            disabled={member !== undefined}
            value={place}
            onChange={(value) => setPlace(value ?? WHOLE)}
            before={[{ value: WHOLE, label: text('member.whole') }]}
          />
        </Form.Item>
      </Form>
    </Dialog>
  )
}

type RemoveProps = MembersProps & { readonly member: Member; readonly close: () => void }

function RemoveMember({ organization, member, close }: RemoveProps) {
  const { text } = useText()
  const remove = useChange('removeMember', close)
  return (
    <Dialog
      title={text('member.removeTitle', { name: member.userName })}
      confirm={text('member.remove')}
      isDanger
      command={`member remove ${member.userName} --organization ${organization.slug}`}
      isPending={remove.isPending}
      error={remove.error}
      close={close}
      act={() =>
        remove.mutate({
          organization: organization.id,
          user: member.userId,
          ...(member.projectId === null ? {} : { projectId: member.projectId }),
        })
      }
    >
      <p>{text('member.removeText')}</p>
    </Dialog>
  )
}
