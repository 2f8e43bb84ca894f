import { Form, Input } from 'antd'
import { useState } from 'react'

import type { Cluster } from '@slipway/contract'

import { useChange } from '../../data/queries.ts'
import { useText } from '../../preferences/text.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { KubeconfigField } from '../../ui/kubeconfig-field.tsx'

/** Renames a Cluster or renews its credentials, which are tried first. */
export function ChangeCluster({ cluster, close }: { readonly cluster: Cluster; readonly close: () => void }) {
  const { text } = useText()
  const [name, setName] = useState(cluster.name)
  const [kubeconfig, setKubeconfig] = useState('')
  const change = useChange('updateCluster', close)
  return (
    <Dialog
      title={text('cluster.renameTitle', { name: cluster.name })}
      confirm={text('common.save')}
      isPending={change.isPending}
      error={change.error}
      close={close}
      act={() =>
        change.mutate({
          cluster: cluster.id,
          ...(name.trim() === '' || name.trim() === cluster.name ? {} : { name: name.trim() }),
          ...(kubeconfig.trim() === '' ? {} : { kubeconfig }),
        })
      }
      widthPx={640}
    >
      <Form layout="vertical" component="div">
        <Form.Item label={text('common.name')} htmlFor="cluster-name">
          <Input
            id="cluster-name"
            autoFocus
            maxLength={120}
            value={name}
            onChange={({ target }) => setName(target.value)}
          />
        </Form.Item>
        <Form.Item
          label={text('cluster.kubeconfig')}
          extra={text('cluster.kubeconfigKeep')}
          htmlFor="cluster-kubeconfig"
        >
          <KubeconfigField id="cluster-kubeconfig" value={kubeconfig} set={setKubeconfig} />
        </Form.Item>
      </Form>
    </Dialog>
  )
}
