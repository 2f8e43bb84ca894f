import { Button, Form } from 'antd'
import { useState } from 'react'

import { useCheck } from '../../data/check.ts'
import { useChange } from '../../data/queries.ts'
import { Act } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo } from '../../routes/use.ts'
import { KubeconfigField } from '../../ui/kubeconfig-field.tsx'
import { Panel } from '../../ui/page.tsx'
import { Shape } from '../../ui/status.tsx'
import { AccountManifest } from './account-manifest.tsx'
import { ClusterForm, placeOf, type ClusterFields } from './fields.tsx'

/** Registers a Cluster by its kubeconfig: what is checked can be tried without registering it. */
export function ByKubeconfig() {
  const { text } = useText()
  const go = useGo()
  const [form] = Form.useForm<ClusterFields>()
  const [kubeconfig, setKubeconfig] = useState('')
  const check = useCheck('createCluster')
  const create = useChange('createCluster', ({ id }) =>
    go(pathTo('cluster', { cluster: id }), { replace: true }),
  )
  const requestFrom = (fields: ClusterFields) => ({ ...placeOf(fields), kubeconfig })
  const checkNow = async (): Promise<void> => {
    create.reset()
    const fields = await form.validateFields()
    check.mutate(requestFrom(fields))
  }
  return (
    <div className="columns">
      <Panel title={text('cluster.kubeconfig')}>
        <ClusterForm<ClusterFields>
          form={form}
          register={(fields) => {
            check.reset()
            create.mutate(requestFrom(fields))
          }}
          error={create.error ?? check.error}
          actions={
            <>
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
            </>
          }
        >
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
          {check.data && (
            <p role="status" className="checked">
              <Shape tone="good" /> {text('cluster.check.passed', { server: check.data.server })}
            </p>
          )}
        </ClusterForm>
      </Panel>
      <div className="stack">
        <Panel title={text('cluster.checks')}>
          <ol className="steps">
            <li>{text('cluster.check.form')}</li>
            <li>{text('cluster.check.reach')}</li>
            <li>{text('cluster.check.version')}</li>
          </ol>
        </Panel>
        <AccountManifest />
      </div>
    </div>
  )
}
