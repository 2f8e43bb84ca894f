import { PlusOutlined } from '@ant-design/icons'
import type { Location, LocationGrant } from '@slipway/contract'
import { Checkbox, Form, Segmented } from 'antd'
import { useState } from 'react'

import { useChange, useRows } from '../../data/queries.ts'
import { Grants } from '../../objects/location/grants.tsx'
import { Act } from '../../objects/may.tsx'
import { useText, type Text } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo, useRouteSearch } from '../../routes/use.ts'
import { CreateDialog, type NamedFields } from '../../ui/create-dialog.tsx'
import { Go } from '../../ui/go.tsx'
import { Grid, type Column } from '../../ui/grid/grid.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Page, Panel } from '../../ui/page.tsx'

/** Every Location: which Clusters are in it, and who may use it; and the requests for those that are not open. */
export default function LocationsPage() {
  const { text } = useText()
  const go = useGo()
  const [isOpen, setOpen] = useState(false)
  const locations = useRows('listLocations', { limit: 100 })
  return (
    <Page
      title={text('location.list')}
      command="location list"
      actions={
        <Act
          does="createLocation"
          type="primary"
          icon={<Icon of={PlusOutlined} />}
          onClick={() => setOpen(true)}
        >
          {text('location.new')}
        </Act>
      }
    >
      <Panel title={text('location.list')} isFlush>
        <Loaded of={{ ...locations, data: locations.rows }}>
          {(rows) => (
            <Grid
              label={text('location.list')}
              of={{ ...locations, rows }}
              keyOf={({ id }) => id}
              open={({ id }) => go(pathTo('location', { location: id }))}
              columns={columnsOf(text)}
              empty={<Empty command="location create <slug>">{text('location.text')}</Empty>}
            />
          )}
        </Loaded>
      </Panel>
      <Requests />
      {isOpen && <NewLocation close={() => setOpen(false)} />}
    </Page>
  )
}

function columnsOf(text: Text): readonly Column<Location>[] {
  return [
    {
      id: 'name',
      title: text('common.name'),
      width: 'minmax(140px, 1.4fr)',
      cell: ({ id, name }) => <Go to={pathTo('location', { location: id })}>{name}</Go>,
    },
    {
      id: 'slug',
      title: text('common.slug'),
      width: 'minmax(110px, 1fr)',
      cell: ({ slug }) => <code>{slug}</code>,
    },
    {
      id: 'default',
      title: text('cluster.default'),
      width: '80px',
      cell: ({ isDefault }) => isDefault && <span className="badge">{text('cluster.default')}</span>,
    },
    {
      id: 'access',
      title: text('location.access'),
      width: 'minmax(170px, 1.6fr)',
      cell: ({ restricted }) => text(restricted ? 'location.access.restricted' : 'location.access.open'),
    },
    {
      id: 'clusters',
      title: text('cluster.list'),
      width: 'minmax(160px, 2fr)',
      cell: ({ clusters }) =>
        clusters.length === 0 ? (
          <span className="soft">{text('location.noClusters')}</span>
        ) : (
          clusters.map(({ id, slug }, index) => (
            <span key={id}>
              {index > 0 && ' · '}
              <Go to={pathTo('cluster', { cluster: id })}>{slug}</Go>
            </span>
          ))
        ),
    },
  ]
}

type State = LocationGrant['state']
const STATES: readonly State[] = ['Requested', 'Granted', 'Refused', 'Ended']

/** Who asked for a Location, and what became of it. */
function Requests() {
  const { text } = useText()
  const [search, setSearch] = useRouteSearch()
  const state = STATES.find((one) => one === search['state']) ?? 'Requested'
  const title = text('location.requests')
  return (
    <Panel
      title={title}
      isFlush
      actions={
        <Segmented<State>
          aria-label={text('common.state')}
          size="small"
          value={state}
          onChange={(value) => setSearch({ state: value === 'Requested' ? undefined : value })}
          options={STATES.map((value) => ({ value, label: text(`location.state.${value}`) }))}
        />
      }
    >
      <Grants
        label={title}
        filter={{ state }}
        empty={<Empty command={`location grants --state ${state}`}>{text('location.noRequests')}</Empty>}
      />
    </Panel>
  )
}

type NewFields = NamedFields & { readonly restricted?: boolean; readonly isDefault?: boolean }

function NewLocation({ close }: { readonly close: () => void }) {
  const { text } = useText()
  const go = useGo()
  const create = useChange('createLocation', ({ id }) => go(pathTo('location', { location: id })))
  return (
    <CreateDialog<NewFields>
      title={text('location.new')}
      command="location create <slug>"
      isPending={create.isPending}
      error={create.error}
      close={close}
      create={({ restricted = false, isDefault = false, ...names }) =>
        create.mutate({ ...names, restricted, isDefault })
      }
    >
      <p>{text('location.text')}</p>
      <Form.Item name="restricted" valuePropName="checked">
        <Checkbox>{text('location.restricted')}</Checkbox>
      </Form.Item>
      <Form.Item name="isDefault" valuePropName="checked">
        <Checkbox>{text('location.isDefault')}</Checkbox>
      </Form.Item>
    </CreateDialog>
  )
}
