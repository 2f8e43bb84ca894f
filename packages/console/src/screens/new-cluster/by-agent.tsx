import { Form, Input } from 'antd'

import type { Cluster } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'

import { useAnswer, useChange } from '../../data/queries.ts'
import { AgentManifest } from '../../objects/agent-manifest.tsx'
import { ClusterStatus } from '../../objects/cluster.tsx'
import { Act } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { Go } from '../../ui/go.tsx'
import { Panel } from '../../ui/page.tsx'
import { ClusterForm, placeOf, type ClusterFields } from './fields.tsx'

const EVERY_MS = 2 * SECOND_MS
const AUTHORITY_MAX = 128 * 1024
const AUTHORITY_ROWS = 4

type Fields = ClusterFields & { readonly image?: string; readonly authority?: string }

/** Registers a Cluster that cannot be reached from here: gives the manifest of its agent, and waits until it has dialled. */
export function ByAgent() {
  const register = useChange('registerAgent')
  return (
    <div className="columns">
      {register.data ? (
        <Apply cluster={register.data.cluster} manifest={register.data.manifest} />
      ) : (
        <AgentForm
          isPending={register.isPending}
          error={register.error}
          register={({ image, authority, ...fields }) =>
            register.mutate({
              ...placeOf(fields),
              ...(image ? { image } : {}),
              ...(authority ? { certificateAuthority: authority } : {}),
            })
          }
        />
      )}
      <Steps />
    </div>
  )
}

type FormProps = {
  readonly isPending: boolean
  readonly error: unknown
  readonly register: (fields: Fields) => void
}

function AgentForm({ isPending, error, register }: FormProps) {
  const { text } = useText()
  const [form] = Form.useForm<Fields>()
  return (
    <Panel title={text('cluster.way.agent')}>
      <ClusterForm<Fields>
        form={form}
        register={register}
        error={error}
        actions={
          <Act does="registerAgent" type="primary" htmlType="submit" loading={isPending}>
            {text('cluster.submit')}
          </Act>
        }
      >
        <Form.Item name="image" label={text('cluster.agentImage')} extra={text('cluster.agentImageHelp')}>
          <Input className="mono" spellCheck={false} maxLength={512} />
        </Form.Item>
        <Form.Item
          name="authority"
          label={text('cluster.agentAuthority')}
          extra={text('cluster.agentAuthorityHelp')}
        >
          <Input.TextArea
            className="mono"
            rows={AUTHORITY_ROWS}
            spellCheck={false}
            maxLength={AUTHORITY_MAX}
          />
        </Form.Item>
      </ClusterForm>
    </Panel>
  )
}

function Steps() {
  const { text } = useText()
  return (
    <Panel title={text('cluster.agentHow')}>
      <ol className="steps">
        <li>{text('cluster.agentStep.register')}</li>
        <li>{text('cluster.agentStep.apply')}</li>
        <li>{text('cluster.agentStep.dial')}</li>
      </ol>
    </Panel>
  )
}

type ApplyProps = { readonly cluster: Cluster; readonly manifest: string }

function Apply({ cluster, manifest }: ApplyProps) {
  const { text } = useText()
  const seen = useAnswer('getCluster', { cluster: cluster.id }, { everyMs: EVERY_MS })
  const { health, name } = seen.data ?? cluster
  const isThere = health.state === 'ready'
  return (
    <Panel title={text('cluster.agentApplyTitle', { name })}>
      <AgentManifest slug={cluster.slug} manifest={manifest} />
      <p role="status" className="agent-state">
        <ClusterStatus health={health} /> {text(isThere ? 'cluster.agentThere' : 'cluster.agentWaits')}
      </p>
      <Go to={pathTo('cluster', { cluster: cluster.id })}>{text('cluster.agentGo', { name })}</Go>
    </Panel>
  )
}
