import { Form } from 'antd'
import { useState } from 'react'

import type { Cluster } from '@slipway/contract'

import { useChange } from '../../data/queries.ts'
import { useText } from '../../preferences/text.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { KubeconfigField } from '../../ui/kubeconfig-field.tsx'

type RenewProps = { readonly cluster: Cluster; readonly close: () => void }

/** Registers a Cluster again with a new kubeconfig, which is tried first. */
export function RenewCredentials({ cluster, close }: RenewProps) {
  const { text } = useText()
  const [kubeconfig, setKubeconfig] = useState('')
  const change = useChange('updateCluster', close)
  return (
    <Dialog
      title={text('cluster.replaceTitle', { name: cluster.name })}
      confirm={text('cluster.replace')}
      isReady={kubeconfig.trim() !== ''}
      command={`cluster renew-credentials ${cluster.slug} --kubeconfig <file>`}
      isPending={change.isPending}
      error={change.error}
      close={close}
      act={() => change.mutate({ cluster: cluster.id, kubeconfig })}
      widthPx={640}
    >
      <p>{text('cluster.replaceText')}</p>
      <Form layout="vertical" component="div">
        <Form.Item
          label={text('cluster.kubeconfig')}
          extra={text('cluster.kubeconfigHelp')}
          htmlFor="cluster-kubeconfig"
        >
          <KubeconfigField id="cluster-kubeconfig" value={kubeconfig} set={setKubeconfig} />
        </Form.Item>
      </Form>
    </Dialog>
  )
}
