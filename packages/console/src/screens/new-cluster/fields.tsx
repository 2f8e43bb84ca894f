import { Checkbox, Form, Input, type FormInstance } from 'antd'
import type { ReactNode } from 'react'

import { useText } from '../../preferences/text.ts'
import { NameFields } from '../../ui/create-dialog.tsx'
import { Refusal } from '../../ui/refusal.tsx'

export type ClusterFields = {
  readonly name: string
  readonly slug: string
  readonly isDefault?: boolean
  readonly gateway?: string
  readonly gatewayUrl?: string
  readonly domain?: string
}

/** What both ways of registering say of a Cluster; fields that were left empty are left out. Pure. */
export function placeOf({ name, slug, isDefault, gateway, gatewayUrl, domain }: ClusterFields) {
  return {
    name,
    slug,
    isDefault: isDefault ?? false,
    ...(gateway ? { gateway } : {}),
    ...(gatewayUrl ? { gatewayUrl } : {}),
    ...(domain ? { domain } : {}),
  }
}

type FormProps<Fields extends ClusterFields> = {
  readonly form: FormInstance<Fields>
  readonly register: (fields: Fields) => void
  readonly error: unknown
  /** What only this way of registering asks for. */
  readonly children: ReactNode
  readonly actions: ReactNode
}

/** What both ways of registering ask for: the names, whether it is the default, where Applications answer. */
export function ClusterForm<Fields extends ClusterFields>(props: FormProps<Fields>) {
  const { text } = useText()
  const { form } = props
  return (
    <Form<Fields> form={form} layout="vertical" requiredMark={false} onFinish={props.register}>
      <NameFields
        propose={(slug) => form.setFieldValue('slug' as never, slug)}
        isTouched={() => form.isFieldTouched('slug' as never)}
      />
      {props.children}
      <Form.Item name="isDefault" valuePropName="checked">
        <Checkbox>{text('cluster.isDefault')}</Checkbox>
      </Form.Item>
      <GatewayFields />
      <Refusal error={props.error} />
      <div className="row-actions">{props.actions}</div>
    </Form>
  )
}

/** Where Applications answer, for Clusters that do not tell. */
function GatewayFields() {
  const { text } = useText()
  return (
    <details>
      <summary>{text('cluster.more')}</summary>
      <Form.Item name="gateway" label={text('cluster.gatewayRef')} extra={text('cluster.gatewayRefHelp')}>
        <Input className="mono" spellCheck={false} maxLength={320} />
      </Form.Item>
      <Form.Item name="gatewayUrl" label={text('cluster.gatewayUrl')}>
        <Input className="mono" spellCheck={false} maxLength={512} placeholder="https://" />
      </Form.Item>
      <Form.Item name="domain" label={text('cluster.domain')}>
        <Input className="mono" spellCheck={false} maxLength={200} />
      </Form.Item>
    </details>
  )
}
