import { Button, Checkbox, Form, Input } from 'antd'
import { useState } from 'react'

import { useCheck } from '../../data/check.ts'
import { useChange } from '../../data/queries.ts'
import { Act } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo } from '../../routes/use.ts'
import { NameFields } from '../../ui/create-dialog.tsx'
import { KubeconfigField } from '../../ui/kubeconfig-field.tsx'
import { Page, Panel } from '../../ui/page.tsx'
import { Refusal } from '../../ui/refusal.tsx'
import { Shape } from '../../ui/status.tsx'

type Fields = {
  readonly name: string
  readonly slug: string
  readonly isDefault?: boolean
  readonly gateway?: string
  readonly gatewayUrl?: string
  readonly domain?: string
}

/** Registers a Cluster by its kubeconfig: what is checked can be tried without registering it. */
export default function NewClusterPage() {
  const { text } = useText()
  const go = useGo()
  const [form] = Form.useForm<Fields>()
  const [kubeconfig, setKubeconfig] = useState('')
  const check = useCheck('createCluster')
  const create = useChange('createCluster', ({ id }) =>
    go(pathTo('cluster', { cluster: id }), { replace: true }),
  )
  const requestFrom = ({ gateway, gatewayUrl, domain, isDefault, ...names }: Fields) => ({
    ...names,
    kubeconfig,
    isDefault: isDefault ?? false,
    ...(gateway ? { gateway } : {}),
    ...(gatewayUrl ? { gatewayUrl } : {}),
    ...(domain ? { domain } : {}),
  })
  const checkNow = async (): Promise<void> => {
    create.reset()
    const fields = await form.validateFields()
    check.mutate(requestFrom(fields))
  }
  const error = create.error ?? check.error
  return (
    <Page
      title={text('cluster.new')}
      trail={[{ label: text('cluster.list'), to: pathTo('clusters') }]}
      command="cluster register <slug> --kubeconfig <file>"
    >
      <div className="columns">
        <Panel title={text('cluster.kubeconfig')}>
          <Form<Fields>
            form={form}
            layout="vertical"
            requiredMark={false}
            onFinish={(fields) => {
              check.reset()
              create.mutate(requestFrom(fields))
            }}
          >
            <NameFields
              propose={(slug) => form.setFieldValue('slug', slug)}
              isTouched={() => form.isFieldTouched('slug')}
            />
            <Form.Item
              label={text('cluster.kubeconfig')}
              extra={text('cluster.kubeconfigHelp')}
              htmlFor="new-kubeconfig"
            >
              <KubeconfigField
                id="new-kubeconfig"
                value={kubeconfig}
                set={(value) => {
                  setKubeconfig(value)
                  check.reset()
                }}
              />
            </Form.Item>
            <Form.Item name="isDefault" valuePropName="checked">
              <Checkbox>{text('cluster.isDefault')}</Checkbox>
            </Form.Item>
            <details>
              <summary>{text('cluster.more')}</summary>
              <Form.Item
                name="gateway"
                label={text('cluster.gatewayRef')}
                extra={text('cluster.gatewayRefHelp')}
              >
                <Input className="mono" spellCheck={false} maxLength={320} />
              </Form.Item>
              <Form.Item name="gatewayUrl" label={text('cluster.gatewayUrl')}>
                <Input className="mono" spellCheck={false} maxLength={512} placeholder="https://" />
              </Form.Item>
              <Form.Item name="domain" label={text('cluster.domain')}>
                <Input className="mono" spellCheck={false} maxLength={200} />
              </Form.Item>
            </details>
            <Refusal error={error} />
            {check.data && (
              <p role="status" className="checked">
                <Shape tone="good" /> {text('cluster.check.passed', { server: check.data.server })}
              </p>
            )}
            <div className="row-actions">
              {/* A form that is not filled in marks its fields itself. */}
              <Button
                disabled={kubeconfig.trim() === ''}
                loading={check.isPending}
                onClick={() => void checkNow().catch(() => undefined)}
              >
                {text('cluster.check.run')}
              </Button>
              <Act
                does="createCluster"
                type="primary"
                htmlType="submit"
                disabled={kubeconfig.trim() === ''}
                loading={create.isPending}
              >
                {text('cluster.submit')}
              </Act>
            </div>
          </Form>
        </Panel>
        <Panel title={text('cluster.checks')}>
          <ol className="steps">
            <li>{text('cluster.check.form')}</li>
            <li>{text('cluster.check.reach')}</li>
            <li>{text('cluster.check.version')}</li>
          </ol>
        </Panel>
      </div>
    </Page>
  )
}
