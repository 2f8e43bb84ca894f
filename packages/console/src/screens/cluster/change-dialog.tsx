import { Form, Input } from 'antd'

import type { Cluster } from '@slipway/contract'

import { useChange } from '../../data/queries.ts'
import { GatewayFields, gatewayOf, type GatewayNames } from '../../objects/gateway-fields.tsx'
import { useText } from '../../preferences/text.ts'
import { Dialog } from '../../ui/dialog.tsx'

const NAME_MAX = 120

type Fields = GatewayNames & { readonly name: string }

/** Renames a Cluster, or says where its Applications answer; fields that are left empty stay as they are. */
export function ChangeCluster({ cluster, close }: { readonly cluster: Cluster; readonly close: () => void }) {
  const { text } = useText()
  const [form] = Form.useForm<Fields>()
  const change = useChange('updateCluster', close)
  const save = (): void => {
    const { name, ...gateway } = form.getFieldsValue()
    change.mutate({
      cluster: cluster.id,
      ...(name.trim() === '' ? {} : { name: name.trim() }),
      ...gatewayOf(gateway),
    })
  }
  return (
    <Dialog
      title={text('cluster.renameTitle', { name: cluster.name })}
      confirm={text('common.save')}
      isPending={change.isPending}
      error={change.error}
      close={close}
      act={save}
      widthPx={640}
    >
      <Form<Fields> form={form} layout="vertical" component="div" initialValues={{ name: cluster.name }}>
        <Form.Item name="name" label={text('common.name')}>
          <Input autoFocus maxLength={NAME_MAX} />
        </Form.Item>
        <GatewayFields />
      </Form>
    </Dialog>
  )
}
