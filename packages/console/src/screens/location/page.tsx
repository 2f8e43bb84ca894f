import type { Location } from '@slipway/contract'
import { useState } from 'react'

import { useAllRows } from '../../data/queries.ts'
import { ClusterStatus } from '../../objects/cluster.tsx'
import { Grants } from '../../objects/location/grants.tsx'
import { Act } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useRouteParams } from '../../routes/use.ts'
import { Go } from '../../ui/go.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Page, Panel } from '../../ui/page.tsx'
import { ChangeLocation, DeleteLocation, MakeDefault, PutCluster } from './dialogs.tsx'

type Open = 'change' | 'default' | 'delete' | 'put'

/** A Location: the Clusters in it, and the Projects that may use it. */
export default function LocationPage() {
  const { text } = useText()
  const { location: id } = useRouteParams<'location'>()
  const locations = useAllRows('listLocations', { limit: 200 })
  const [open, setOpen] = useState<Open>()
  const close = (): void => setOpen(undefined)
  const location = locations.rows?.find((one) => one.id === id)
  const isKnown = location !== undefined || (locations.rows !== undefined && !locations.hasNextPage)
  return (
    <Loaded of={{ ...locations, data: isKnown ? { location } : undefined }}>
      {({ location: one }) =>
        one === undefined ? (
          <Page title={text('notFound.title')}>
            <p>{text('notFound.text')}</p>
          </Page>
        ) : (
          <LocationView location={one} ask={setOpen}>
            {open === 'change' && <ChangeLocation location={one} close={close} />}
            {open === 'default' && <MakeDefault location={one} close={close} />}
            {open === 'delete' && <DeleteLocation location={one} close={close} />}
            {open === 'put' && <PutCluster location={one} close={close} />}
          </LocationView>
        )
      }
    </Loaded>
  )
}

type ViewProps = {
  readonly location: Location
  readonly ask: (what: Open) => void
  readonly children: React.ReactNode
}

function LocationView({ location, ask, children }: ViewProps) {
  const { text } = useText()
  const { name, slug, isDefault, restricted } = location
  return (
    <Page
      title={name}
      trail={[{ label: text('location.list'), to: pathTo('locations') }]}
      command="location list"
      beside={
        <>
          <code>{slug}</code>
          {isDefault && <span className="badge">{text('cluster.default')}</span>}
          {restricted && <span className="badge">{text('location.badge')}</span>}
        </>
      }
      actions={
        <>
          {!isDefault && (
            <Act does="updateLocation" onClick={() => ask('default')}>
              {text('cluster.makeDefault')}
            </Act>
          )}
          <Act does="updateLocation" onClick={() => ask('change')}>
            {text('cluster.rename')}
          </Act>
          {!isDefault && (
            <Act does="deleteLocation" danger onClick={() => ask('delete')}>
              {text('location.delete')}
            </Act>
          )}
        </>
      }
    >
      <Panel
        title={text('cluster.list')}
        isFlush
        actions={
          <Act does="setClusterLocation" onClick={() => ask('put')}>
            {text('location.put')}
          </Act>
        }
      >
        <Clusters location={location} />
      </Panel>
      <Panel title={text('location.access')} isFlush>
        {!restricted && <p className="panel-note">{text('location.accessText.open')}</p>}
        <Grants
          label={text('location.access')}
          filter={{ location: location.id }}
          empty={
            restricted ? (
              <Empty command={`location request ${slug} --project <project>`}>
                {text('location.accessText.none')}
              </Empty>
            ) : null
          }
        />
      </Panel>
      {children}
    </Page>
  )
}

function Clusters({ location: { slug, clusters, isDefault } }: { readonly location: Location }) {
  const { text } = useText()
  const known = useAllRows('listClusters', { limit: 200 })
  if (clusters.length === 0)
    return (
      <Empty command={`location assign <cluster> ${slug}`}>
        {text(isDefault ? 'location.emptyDefault' : 'location.empty')}
      </Empty>
    )
  return (
    <ul className="list" aria-label={text('cluster.list')}>
      {clusters.map(({ id, slug: cluster }) => {
        const health = known.rows?.find((one) => one.id === id)?.health
        return (
          <li key={id}>
            <span className="list-main">
              <Go to={pathTo('cluster', { cluster: id })}>{cluster}</Go>
            </span>
            <span className="list-side">{health && <ClusterStatus health={health} />}</span>
          </li>
        )
      })}
    </ul>
  )
}
