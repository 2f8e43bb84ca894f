import type { Cluster, Location } from '@slipway/contract'
import { Form, Select } from 'antd'
import { useState } from 'react'

import { useAllRows, useChange } from '../../data/queries.ts'
import { Act } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Go } from '../../ui/go.tsx'

type ClusterProps = { readonly cluster: Cluster }

/** The Location that a Cluster is in, and the way into another one. */
export function ClusterLocation({ cluster }: ClusterProps) {
  const { text } = useText()
  const [isOpen, setOpen] = useState(false)
  const locations = useAllRows('listLocations', { limit: 200 })
  const here = locations.rows?.find(({ clusters }) => clusters.some(({ id }) => id === cluster.id))
  return (
    <span className="row-actions">
      {here === undefined ? '–' : <Go to={pathTo('location', { location: here.id })}>{here.name}</Go>}
      <Act does="setClusterLocation" size="small" onClick={() => setOpen(true)}>
        {text('location.move')}
      </Act>
      {isOpen && (
        <Move cluster={cluster} locations={locations.rows ?? []} close={() => setOpen(false)} here={here} />
      )}
    </span>
  )
}

type MoveProps = ClusterProps & {
  readonly locations: readonly Location[]
  readonly here: Location | undefined
  readonly close: () => void
}

function Move({ cluster, locations, here, close }: MoveProps) {
  const { text } = useText()
  const [chosen, setChosen] = useState<string>()
  const put = useChange('setClusterLocation', close)
  const others = locations.filter(({ id }) => id !== here?.id)
  const slug = others.find(({ id }) => id === chosen)?.slug ?? '<location>'
  return (
    <Dialog
      title={text('location.moveTitle', { name: cluster.name })}
      confirm={text('location.move')}
      isReady={chosen !== undefined}
      command={`location assign ${cluster.slug} ${slug}`}
      isPending={put.isPending}
      error={put.error}
      close={close}
      act={() => chosen !== undefined && put.mutate({ cluster: cluster.id, location: chosen })}
    >
      <p>{text('location.putText')}</p>
      <Form layout="vertical" component="div">
        <Form.Item label={text('location.overview')} htmlFor="cluster-location">
          <Select<string>
            id="cluster-location"
            showSearch={{ optionFilterProp: 'label' }}
            value={chosen ?? null}
            onChange={setChosen}
            options={others.map(({ id, name }) => ({ value: id, label: name }))}
            notFoundContent={text('location.moveNone')}
          />
        </Form.Item>
      </Form>
    </Dialog>
  )
}
