import { Form, Input } from 'antd'

import { useAnswer, useChange } from '../../data/queries.ts'
import { Act } from '../../objects/may.tsx'
import { ProjectPicker } from '../../objects/pick.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo, useRouteSearch } from '../../routes/use.ts'
import { CommandLine } from '../../ui/command.tsx'
import { NameFields, type NamedFields } from '../../ui/create-dialog.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Page, Panel } from '../../ui/page.tsx'
import { Refusal } from '../../ui/refusal.tsx'
import { FirstPlace } from './first-place.tsx'
import { PasswordInput } from '../../ui/password.tsx'

type Fields = NamedFields & { readonly project: string; readonly url?: string; readonly token?: string }

/** An Application with its source; what will be built of it is shown by the next page. */
export default function NewApplicationPage() {
  const { text } = useText()
  const [search] = useRouteSearch()
  const projects = useAnswer('listProjects', { limit: 1 })
  return (
    <Page
      title={text('application.new')}
      trail={[{ label: text('application.list'), to: pathTo('applications') }]}
    >
      <Loaded of={projects}>
        {({ items }) =>
          items.length === 0 ? (
            <FirstPlace />
          ) : (
            <Panel title={text('application.new')}>
              <ApplicationForm project={search['project'] ?? items[0]?.id ?? ''} />
            </Panel>
          )
        }
      </Loaded>
    </Page>
  )
}

function ApplicationForm({ project }: { readonly project: string }) {
  const { text } = useText()
  const go = useGo()
  const [form] = Form.useForm<Fields>()
  const chosen = Form.useWatch('project', form) ?? project
  const setSource = useChange('setSource', (source) =>
    go(pathTo('startBuild', { application: source.applicationId })),
  )
  const create = useChange('createApplication', ({ id }) => {
    const { url, token } = form.getFieldsValue()
    if (url === undefined || url.trim() === '') go(pathTo('application', { application: id }))
    else setSource.mutate(sourceOf(id, url, token))
  })
  // The Application may be there already when its source was refused; then only the source is tried again.
  const submit = (fields: Fields): void => {
    if (create.data && fields.url !== undefined)
      setSource.mutate(sourceOf(create.data.id, fields.url, fields.token))
    else create.mutate({ project: fields.project, slug: fields.slug, name: fields.name })
  }
  return (
    <Form<Fields>
      form={form}
      className="narrow-form"
      layout="vertical"
      requiredMark={false}
      initialValues={{ project }}
      onFinish={submit}
    >
      <Form.Item name="project" label={text('application.project')}>
        <ProjectPicker disabled={create.data !== undefined} />
      </Form.Item>
      <fieldset disabled={create.data !== undefined}>
        <NameFields
          propose={(slug) => form.setFieldValue('slug', slug)}
          isTouched={() => form.isFieldTouched('slug')}
        />
      </fieldset>
      <SourceFields />
      <Refusal error={create.error ?? setSource.error} />
      <div className="dialog-foot">
        <CommandLine line="application create <project>/<application>" />
        <Act
          does="createApplication"
          where={{ project: chosen }}
          type="primary"
          htmlType="submit"
          loading={create.isPending || setSource.isPending}
        >
          {text('common.create')}
        </Act>
      </div>
    </Form>
  )
}

function SourceFields() {
  const { text } = useText()
  return (
    <>
      <Form.Item
        name="url"
        label={text('application.sourceUrl')}
        extra={text('application.sourceUrlHelp')}
        rules={[{ max: 2_048 }]}
      >
        <Input spellCheck={false} className="mono" />
      </Form.Item>
      <Form.Item name="token" label={text('application.token')} extra={text('application.tokenHelp')}>
        <PasswordInput autoComplete="off" />
      </Form.Item>
    </>
  )
}

function sourceOf(application: string, url: string, token: string | undefined) {
  return {
    application,
    url: url.trim(),
    ...(token === undefined || token === '' ? {} : { credentials: { kind: 'token' as const, token } }),
  }
}
