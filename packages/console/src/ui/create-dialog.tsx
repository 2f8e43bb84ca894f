import { Button, Form, Input, Modal } from 'antd'
import type { ReactNode } from 'react'

import { useText } from '../preferences/text.ts'
import { CommandLine } from './command.tsx'
import { Refusal } from './refusal.tsx'

export type NamedFields = { readonly name: string; readonly slug: string }

type CreateProps<Fields extends NamedFields> = {
  readonly title: string
  readonly isPending: boolean
  readonly error: unknown
  readonly command: string
  readonly close: () => void
  readonly create: (fields: Fields) => void
  readonly initial?: Partial<Fields>
  /** Further fields, as items of the form. */
  readonly children?: ReactNode
}

/** Makes something that has a name for people and a short one for addresses, which is proposed from the first. */
export function CreateDialog<Fields extends NamedFields>(props: CreateProps<Fields>) {
  const { text } = useText()
  const [form] = Form.useForm<Fields>()
  return (
    <Modal open title={props.title} onCancel={props.close} footer={null} width={480}>
      <Form<Fields>
        form={form}
        layout="vertical"
        requiredMark={false}
        onFinish={props.create}
        {...(props.initial === undefined ? {} : { initialValues: props.initial })}
      >
        {props.children}
        <NameFields
          propose={(slug) => form.setFieldValue('slug' as never, slug)}
          isTouched={() => form.isFieldTouched('slug' as never)}
        />
        <Refusal error={props.error} />
        <div className="dialog-foot">
          <CommandLine line={props.command} />
          <Button type="primary" htmlType="submit" loading={props.isPending}>
            {text('common.create')}
          </Button>
        </div>
      </Form>
    </Modal>
  )
}

type NameProps = { readonly propose: (slug: string) => void; readonly isTouched: () => boolean }

/** The two names; the short one follows the other until somebody writes it. */
export function NameFields({ propose, isTouched }: NameProps) {
  const { text } = useText()
  const required = { required: true, message: text('common.required') }
  return (
    <>
      <Form.Item name="name" label={text('common.name')} rules={[required, { max: 120 }]}>
        <Input autoFocus onChange={(event) => !isTouched() && propose(slugOf(event.target.value))} />
      </Form.Item>
      <Form.Item
        name="slug"
        label={text('common.slug')}
        extra={text('common.slugHelp')}
        rules={[
          required,
          { pattern: /^[a-z]([a-z0-9-]{0,37}[a-z0-9])?$/u, message: text('common.slugInvalid') },
        ]}
      >
        <Input spellCheck={false} className="mono" />
      </Form.Item>
    </>
  )
}

/** A short name made from a long one, as far as its characters allow. */
function slugOf(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/gu, '-')
    .replaceAll(/^[^a-z]+|-+$/gu, '')
    .slice(0, 39)
}
