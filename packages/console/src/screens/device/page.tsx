import { Button, Form, Input } from 'antd'
import { useState } from 'react'

import { useText } from '../../preferences/text.ts'
import { useRouteSearch } from '../../routes/use.ts'
import { Page, Panel } from '../../ui/page.tsx'
import { codeOf } from './code.ts'
import { Request } from './request.tsx'

/** Lets a program without a browser sign in as the person who is here, or does not. */
export default function DevicePage() {
  const { text } = useText()
  const [search, setSearch] = useRouteSearch()
  const given = search['code']
  const code = given === undefined ? undefined : codeOf(given)
  return (
    <Page title={text('device.title')} command="login">
      {code === undefined ? (
        <Panel title={text('device.enter')}>
          <CodeForm wrong={given} done={(typed) => setSearch({ code: typed })} />
        </Panel>
      ) : (
        <Request key={code} code={code} other={() => setSearch({ code: undefined })} />
      )}
    </Page>
  )
}

type CodeFormProps = {
  /** What stood in the address and is no code. */
  readonly wrong: string | undefined
  readonly done: (code: string) => void
}

function CodeForm({ wrong, done }: CodeFormProps) {
  const { text } = useText()
  const [typed, setTyped] = useState(wrong ?? '')
  const [isWrong, setWrong] = useState(wrong !== undefined)
  const submit = (): void => {
    const code = codeOf(typed)
    setWrong(code === undefined)
    if (code !== undefined) done(code)
  }
  return (
    <Form layout="vertical" className="narrow-form" onFinish={submit}>
      <p>{text('device.enterText')}</p>
      <Form.Item
        label={text('device.code')}
        htmlFor="device-code"
        extra={text('device.codeHelp')}
        validateStatus={isWrong ? 'error' : ''}
        help={isWrong ? <span role="alert">{text('device.codeWrong')}</span> : undefined}
      >
        <Input
          id="device-code"
          className="mono device-code-input"
          autoFocus
          autoComplete="off"
          autoCapitalize="characters"
          spellCheck={false}
          maxLength={20}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      </Form.Item>
      <Button type="primary" htmlType="submit">
        {text('device.next')}
      </Button>
    </Form>
  )
}
