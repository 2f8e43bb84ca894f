import { Form, Input } from 'antd'
import { useState } from 'react'

import type { Application } from '@slipway/contract'

import { useAnswer, useChange } from '../../data/queries.ts'
import { EnvironmentPicker } from '../../objects/pick.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo } from '../../routes/use.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { PasswordInput } from '../../ui/password.tsx'

type DialogProps = { readonly application: Application; readonly path: string; readonly close: () => void }

/** Lets the Application run in one more Environment. */
export function AddWorkload({ application, path, close }: DialogProps) {
  const { text } = useText()
  const go = useGo()
  const environments = useAnswer('listEnvironments', { project: application.projectId, limit: 1 })
  const [chosen, setChosen] = useState<string>()
  const create = useChange('createWorkload', ({ id }) => go(pathTo('workload', { workload: id })))
  const environment = chosen ?? environments.data?.items[0]?.id
  return (
    <Dialog
      title={text('application.addWorkload')}
      confirm={text('common.create')}
      command={`workload create ${path}/<environment>`}
      isPending={create.isPending}
      error={create.error}
      close={close}
      act={() => environment !== undefined && create.mutate({ application: application.id, environment })}
    >
      <Form layout="vertical" component="div">
        <Form.Item label={text('application.environment')} htmlFor="environment">
          <EnvironmentPicker
            id="environment"
            project={application.projectId}
            value={environment}
            onChange={setChosen}
          />
        </Form.Item>
      </Form>
    </Dialog>
  )
}

/** Sets where the code lies; the server looks the repository up before it says yes. */
export function SetSource({ application, path, close }: DialogProps) {
  const { text } = useText()
  const [url, setUrl] = useState('')
  const [branch, setBranch] = useState('')
  const [token, setToken] = useState('')
  const set = useChange('setSource', close)
  return (
    <Dialog
      title={text('application.sourceSet')}
      confirm={text('common.save')}
      command={`source set ${path} ${url || '<url>'}`}
      isPending={set.isPending}
      error={set.error}
      close={close}
      act={() =>
        set.mutate({
          application: application.id,
          url: url.trim(),
          ...(branch.trim() === '' ? {} : { defaultBranch: branch.trim() }),
          ...(token === '' ? {} : { credentials: { kind: 'token', token } }),
        })
      }
    >
      <Form layout="vertical" component="div">
        <Form.Item
          label={text('application.sourceUrl')}
          extra={text('application.sourceUrlHelp')}
          htmlFor="source-url"
        >
          <Input
            id="source-url"
            autoFocus
            spellCheck={false}
            className="mono"
            value={url}
            onChange={(event) => setUrl(event.target.value)}
          />
        </Form.Item>
        <Form.Item
          label={text('application.branch')}
          extra={text('application.branchHelp')}
          htmlFor="source-branch"
        >
          <Input
            id="source-branch"
            spellCheck={false}
            value={branch}
            onChange={(event) => setBranch(event.target.value)}
          />
        </Form.Item>
        <Form.Item
          label={text('application.token')}
          extra={text('application.tokenHelp')}
          htmlFor="source-token"
        >
          <PasswordInput
            id="source-token"
            autoComplete="off"
            value={token}
            onChange={(event) => setToken(event.target.value)}
          />
        </Form.Item>
      </Form>
    </Dialog>
  )
}
