import { PlusOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useState } from 'react'

import type { Token } from '@slipway/contract'

import { useAnswer, useChange, useRows } from '../../data/queries.ts'
import { useText } from '../../preferences/text.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Grid } from '../../ui/grid/grid.tsx'
import { buttonsWidth } from '../../ui/grid/width.ts'
import { Icon } from '../../ui/icon.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Page, Panel } from '../../ui/page.tsx'
import { Status } from '../../ui/status.tsx'
import { Time, useNow } from '../../ui/time.tsx'
import { NewToken } from './new-token.tsx'

/** The API tokens of whoever looks. */
export default function TokensPage() {
  const { text } = useText()
  const now = useNow()
  const [isOpen, setOpen] = useState(false)
  const [revoked, setRevoked] = useState<Token>()
  const tokens = useRows('listTokens', { limit: 100 })
  const organizations = useAnswer('listOrganizations', { limit: 200 })
  const placeOf = (id: string | null): string =>
    id === null
      ? text('token.organizationAny')
      : (organizations.data?.items.find((one) => one.id === id)?.name ?? id)
  return (
    <Page
      title={text('token.list')}
      command="token list"
      actions={
        <Button type="primary" icon={<Icon of={PlusOutlined} />} onClick={() => setOpen(true)}>
          {text('token.new')}
        </Button>
      }
    >
      <p className="soft">{text('token.about')}</p>
      <Panel title={text('token.list')} isFlush>
        <Loaded of={{ ...tokens, data: tokens.rows }}>
          {(rows) => (
            <Grid
              label={text('token.list')}
              of={{ ...tokens, rows }}
              keyOf={({ id }) => id}
              columns={[
                {
                  id: 'name',
                  title: text('common.name'),
                  width: 'minmax(160px, 2fr)',
                  cell: ({ name }) => name,
                },
                {
                  id: 'place',
                  title: text('token.organization'),
                  width: 'minmax(140px, 1.4fr)',
                  cell: ({ organizationId }) => placeOf(organizationId),
                },
                {
                  id: 'created',
                  title: text('common.created'),
                  width: '130px',
                  cell: ({ createdAt }) => <Time at={createdAt} />,
                },
                {
                  id: 'used',
                  title: text('token.used'),
                  width: '130px',
                  cell: ({ lastUsedAt }) =>
                    lastUsedAt === null ? text('token.never') : <Time at={lastUsedAt} />,
                },
                {
                  id: 'expires',
                  title: text('token.expires'),
                  width: '130px',
                  cell: ({ expiresAt }) =>
                    new Date(expiresAt) <= now ? (
                      <Status tone="idle">{text('token.expired')}</Status>
                    ) : (
                      <Time at={expiresAt} />
                    ),
                },
                {
                  id: 'actions',
                  title: text('common.actions'),
                  isTitleHidden: true,
                  width: buttonsWidth([text('token.revoke')]),
                  cell: (token) => (
                    <Button type="text" size="small" onClick={() => setRevoked(token)}>
                      {text('token.revoke')}
                    </Button>
                  ),
                },
              ]}
              empty={<Empty command="token create <name>">{text('token.empty')}</Empty>}
            />
          )}
        </Loaded>
      </Panel>
      {isOpen && <NewToken organizations={organizations.data?.items ?? []} close={() => setOpen(false)} />}
      {revoked && <Revoke token={revoked} close={() => setRevoked(undefined)} />}
    </Page>
  )
}

function Revoke({ token, close }: { readonly token: Token; readonly close: () => void }) {
  const { text } = useText()
  const revoke = useChange('deleteToken', close)
  return (
    <Dialog
      title={text('token.revokeTitle', { name: token.name })}
      confirm={text('token.revoke')}
      isDanger
      command={`token delete ${token.id}`}
      isPending={revoke.isPending}
      error={revoke.error}
      close={close}
      act={() => revoke.mutate({ token: token.id })}
    >
      <p>{text('token.revokeText')}</p>
    </Dialog>
  )
}
