import { Checkbox, Form, type FormInstance } from 'antd'
import type { ReactNode } from 'react'

import { GatewayFields, gatewayOf, type GatewayNames } from '../../objects/gateway-fields.tsx'
import { useText } from '../../preferences/text.ts'
import { NameFields } from '../../ui/create-dialog.tsx'
import { Refusal } from '../../ui/refusal.tsx'

export type ClusterFields = GatewayNames & {
  readonly name: string
  readonly slug: string
  readonly isDefault?: boolean
}

/** What both ways of registering say of a Cluster; fields that were left empty are left out. Pure. */
export function placeOf({ name, slug, isDefault, ...gateway }: ClusterFields) {
  return { name, slug, isDefault: isDefault ?? false, ...gatewayOf(gateway) }
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
