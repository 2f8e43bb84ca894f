import { Button, Form, Input } from 'antd'

import type { Session } from '@slipway/contract'

import { useChange } from '../data/queries.ts'
import { tellHub } from '../data/live/live.ts'
import { rememberSignedIn, sessionEnd, tellOtherTabs } from '../data/session.ts'
import { useText } from '../preferences/text.ts'
import { Refusal } from '../ui/refusal.tsx'
import { PasswordInput } from '../ui/password.tsx'

/** Name and password. @param name - filled in when somebody's session has ended */
export function SignInForm(props: { readonly name?: string; readonly done: (session: Session) => void }) {
  const { text } = useText()
  const signIn = useChange('signIn', (session) => {
    rememberSignedIn(true)
    sessionEnd.set('none')
    tellHub('restart')
    tellOtherTabs({ kind: 'signed-in', name: session.user.name })
    props.done(session)
  })
  return (
    <Form
      layout="vertical"
      requiredMark={false}
      initialValues={{ name: props.name ?? '' }}
      onFinish={({ name, password }: { name: string; password: string }) => signIn.mutate({ name, password })}
    >
      <Form.Item
        name="name"
        label={text('signIn.name')}
        rules={[{ required: true, message: text('common.required') }]}
      >
        <Input autoComplete="username" autoFocus={props.name === undefined} spellCheck={false} />
      </Form.Item>
      <Form.Item
        name="password"
        label={text('signIn.password')}
        rules={[{ required: true, message: text('common.required') }]}
      >
        <PasswordInput autoComplete="current-password" autoFocus={props.name !== undefined} />
      </Form.Item>
      <Refusal error={signIn.error} />
      <Button type="primary" htmlType="submit" block loading={signIn.isPending}>
        {text('signIn.submit')}
      </Button>
    </Form>
  )
}
