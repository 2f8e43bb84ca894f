import { Form, Input } from 'antd'

import { useAnswer, useChange } from '../../data/queries.ts'
import { Act } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { CommandLine } from '../../ui/command.tsx'
import { Panel } from '../../ui/page.tsx'
import { Refusal } from '../../ui/refusal.tsx'

type Fields = { readonly organization: string; readonly project: string; readonly environment: string }

/** Makes what the first Application needs around it: Organization, Project, Environment, one after the other. */
export function FirstPlace() {
  const { text } = useText()
  const [form] = Form.useForm<Fields>()
  const organizations = useAnswer('listOrganizations', { limit: 1 })
  const known = organizations.data?.items[0]
  const environment = useChange('createEnvironment')
  const project = useChange('createProject', ({ id }) =>
    environment.mutate({ project: id, ...named(form.getFieldValue('environment')) }),
  )
  const organization = useChange('createOrganization', ({ id }) =>
    project.mutate({ organization: id, ...named(form.getFieldValue('project')) }),
  )
  const made = known ?? organization.data
  const submit = (fields: Fields): void => {
    // What an attempt before has made stays; only the rest is tried again.
    if (made) project.mutate({ organization: made.id, ...named(fields.project) })
    else organization.mutate(named(fields.organization))
  }
  const rules = [
    { required: true, message: text('common.required') },
    { pattern: /^[a-z]([a-z0-9-]{0,37}[a-z0-9])?$/u, message: text('common.slugInvalid') },
  ]
  return (
    <Panel title={text('place.title')}>
      <Form<Fields>
        form={form}
        className="narrow-form"
        layout="vertical"
        requiredMark={false}
        initialValues={{ environment: 'production' }}
        onFinish={submit}
      >
        <p>{text('place.text')}</p>
        {made === undefined && (
          <Form.Item name="organization" label={text('place.organization')} rules={rules}>
            <Input autoFocus spellCheck={false} className="mono" />
          </Form.Item>
        )}
        <Form.Item name="project" label={text('place.project')} rules={rules}>
          <Input spellCheck={false} className="mono" />
        </Form.Item>
        <Form.Item name="environment" label={text('place.environment')} rules={rules}>
          <Input spellCheck={false} className="mono" />
        </Form.Item>
        <Refusal error={organization.error ?? project.error ?? environment.error} />
        <div className="dialog-foot">
          <CommandLine line="project create <slug> --organization <organization>" />
          <Act
            does={made === undefined ? 'createOrganization' : 'createProject'}
            where={{ organization: made?.id }}
            type="primary"
            htmlType="submit"
            loading={organization.isPending || project.isPending}
          >
            {text('place.submit')}
          </Act>
        </div>
      </Form>
    </Panel>
  )
}

function named(slug: string): { readonly slug: string; readonly name: string } {
  return { slug, name: slug }
}
