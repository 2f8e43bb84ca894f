import type { Location } from '@slipway/contract'
import { Checkbox, Form, Input, Select } from 'antd'
import { useState } from 'react'

import { useAllRows, useChange } from '../../data/queries.ts'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo } from '../../routes/use.ts'
import { Dialog } from '../../ui/dialog.tsx'

const NAME_MAX = 120

type DialogProps = { readonly location: Location; readonly close: () => void }

/** Renames a Location, opens it to every Project, or restricts it to those that are granted it. */
export function ChangeLocation({ location, close }: DialogProps) {
  const { text } = useText()
  const [name, setName] = useState(location.name)
  const [restricted, setRestricted] = useState(location.restricted)
  const change = useChange('updateLocation', close)
  const isOther = restricted !== location.restricted
  return (
    <Dialog
      title={text('cluster.renameTitle', { name: location.name })}
      confirm={text('common.save')}
      command={`location update ${location.slug}${isOther ? (restricted ? ' --restricted' : ' --open') : ' --name <name>'}`}
      isPending={change.isPending}
      error={change.error}
      close={close}
      act={() =>
        change.mutate({
          location: location.id,
          restricted,
          ...(name.trim() === '' ? {} : { name: name.trim() }),
        })
      }
    >
      <Form layout="vertical" component="div">
        <Form.Item label={text('common.name')} htmlFor="location-name">
          <Input
            id="location-name"
            autoFocus
            maxLength={NAME_MAX}
            value={name}
            onChange={({ target }) => setName(target.value)}
          />
        </Form.Item>
        <Form.Item extra={text('location.restrictedHelp')}>
          <Checkbox checked={restricted} onChange={({ target }) => setRestricted(target.checked)}>
            {text('location.restricted')}
          </Checkbox>
        </Form.Item>
      </Form>
    </Dialog>
  )
}

export function MakeDefault({ location, close }: DialogProps) {
  const { text } = useText()
  const change = useChange('updateLocation', close)
  return (
    <Dialog
      title={text('cluster.makeDefault')}
      confirm={text('cluster.makeDefault')}
      command={`location update ${location.slug} --default`}
      isPending={change.isPending}
      error={change.error}
      close={close}
      act={() => change.mutate({ location: location.id, isDefault: true })}
    >
      <p>{text('location.defaultText')}</p>
    </Dialog>
  )
}

export function DeleteLocation({ location, close }: DialogProps) {
  const { text } = useText()
  const go = useGo()
  const remove = useChange('deleteLocation', () => go(pathTo('locations')))
  return (
    <Dialog
      title={text('location.deleteTitle', { name: location.name })}
      confirm={text('location.delete')}
      isDanger
      command={`location delete ${location.slug}`}
      isPending={remove.isPending}
      error={remove.error}
      close={close}
      act={() => remove.mutate({ location: location.id })}
    >
      <p>{text('location.deleteText')}</p>
    </Dialog>
  )
}

/** Puts a Cluster that is elsewhere into this Location. */
export function PutCluster({ location, close }: DialogProps) {
  const { text } = useText()
  const [cluster, setCluster] = useState<string>()
  const clusters = useAllRows('listClusters', { limit: 200 })
  const put = useChange('setClusterLocation', close)
  const here = new Set(location.clusters.map(({ id }) => id))
  const others = (clusters.rows ?? []).filter(({ id }) => !here.has(id))
  const slug = others.find(({ id }) => id === cluster)?.slug ?? '<cluster>'
  return (
    <Dialog
      title={text('location.putTitle', { name: location.name })}
      confirm={text('location.put')}
      isReady={cluster !== undefined}
      command={`location assign ${slug} ${location.slug}`}
      isPending={put.isPending}
      error={put.error}
      close={close}
      act={() => cluster !== undefined && put.mutate({ cluster, location: location.id })}
    >
      <p>{text('location.putText')}</p>
      <Form layout="vertical" component="div">
        <Form.Item label={text('project.cluster')} htmlFor="location-cluster">
          <Select<string>
            id="location-cluster"
            showSearch={{ optionFilterProp: 'label' }}
            value={cluster ?? null}
            onChange={setCluster}
            options={others.map(({ id, name }) => ({ value: id, label: name }))}
            notFoundContent={text('location.putNone')}
          />
        </Form.Item>
      </Form>
    </Dialog>
  )
}
