import { Button, Form, Input } from 'antd'
import { useEffect } from 'react'

import { cache, useAnswer, useChange } from '../../data/queries.ts'
import { rememberSignedIn } from '../../data/session.ts'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo } from '../../routes/use.ts'
import { CommandLine } from '../../ui/command.tsx'
import { Go } from '../../ui/go.tsx'
import { Refusal } from '../../ui/refusal.tsx'
import { Welcome } from '../../ui/welcome.tsx'
import { PasswordInput } from '../../ui/password.tsx'

const PASSWORD_MIN = 10
type Fields = { readonly token: string; readonly name: string; readonly password: string }

/** Turns the token from the server's terminal into the first administrator. */
export default function FirstRunPage() {
  const { text } = useText()
  const firstRun = useAnswer('getFirstRun', {})
  useEffect(() => {
    document.title = `${text('firstRun.title')} · ${text('app.name')}`
  })
  return (
    <Welcome>
      <h1>{text('firstRun.title')}</h1>
      {firstRun.data?.open === false ? (
        <>
          <p>{text('firstRun.closed')}</p>
          <Go to={pathTo('signIn')}>{text('firstRun.signIn')}</Go>
        </>
      ) : (
        <>
          <p>{text('firstRun.text')}</p>
          <FirstRunForm />
        </>
      )}
    </Welcome>
  )
}

function FirstRunForm() {
  const { text } = useText()
  const go = useGo()
  const complete = useChange('completeFirstRun', () => {
    rememberSignedIn(true)
    cache.clear()
    go(pathTo('home'), { replace: true })
  })
  const required = { required: true, message: text('common.required') }
  return (
    <>
      <Form<Fields>
        layout="vertical"
        requiredMark={false}
        initialValues={{ name: 'admin' }}
        onFinish={({ token, name, password }) => complete.mutate({ token: token.trim(), name, password })}
      >
        <Form.Item
          name="token"
          label={text('firstRun.token')}
          extra={text('firstRun.tokenHelp')}
          rules={[required]}
        >
          <Input autoComplete="off" autoFocus spellCheck={false} className="mono" />
        </Form.Item>
        <Form.Item
          name="name"
          label={text('firstRun.name')}
          extra={text('firstRun.nameHelp')}
          rules={[
            required,
            { pattern: /^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$/u, message: text('firstRun.nameInvalid') },
          ]}
        >
          <Input autoComplete="username" spellCheck={false} />
        </Form.Item>
        <Form.Item
          name="password"
          label={text('firstRun.password')}
          extra={text('firstRun.passwordHelp')}
          rules={[required, { min: PASSWORD_MIN, message: text('firstRun.passwordShort') }]}
        >
          <PasswordInput autoComplete="new-password" />
        </Form.Item>
        <Refusal error={complete.error} />
        <Button type="primary" htmlType="submit" block loading={complete.isPending}>
          {text('firstRun.submit')}
        </Button>
      </Form>
      <p className="below">
        <CommandLine line="login --first-run-token <token> --name admin" />
      </p>
    </>
  )
}
