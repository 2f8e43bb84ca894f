import { PlusOutlined } from '@ant-design/icons'
import { useState } from 'react'

import type { Application } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'
import { ApiError } from '@slipway/sdk'

import { useAnswer } from '../../data/queries.ts'
import { ReleaseLink, ReleaseStatus } from '../../objects/release.tsx'
import { environmentOf, HealthStatus } from '../../objects/workload.tsx'
import { Act } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo, useRouteParams } from '../../routes/use.ts'
import { Code } from '../../ui/copy.tsx'
import { Go } from '../../ui/go.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Facts, Page, Panel } from '../../ui/page.tsx'
import { Time } from '../../ui/time.tsx'
import { Builds } from './builds.tsx'
import { AddWorkload, SetSource } from './dialogs.tsx'
import { Icon } from '../../ui/icon.tsx'

const EVERY_MS = 3 * SECOND_MS

/** An Application: where its code lies, what was built of it, where it runs. */
export default function ApplicationPage() {
  const { text } = useText()
  const go = useGo()
  const { application: id } = useRouteParams<'application'>()
  const application = useAnswer('getApplication', { application: id })
  const project = useAnswer(
    'getProject',
    { project: application.data?.projectId ?? '' },
    { enabled: application.data !== undefined },
  )
  return (
    <Loaded of={application}>
      {(one) => {
        const path = `${project.data?.slug ?? '<project>'}/${one.slug}`
        return (
          <Page
            title={one.name}
            trail={[
              { label: text('project.list'), to: pathTo('projects') },
              { label: project.data?.name ?? '', to: pathTo('project', { project: one.projectId }) },
            ]}
            beside={<code>{path}</code>}
            command={`application show ${path}`}
            actions={
              <Act
                does="startBuild"
                where={{ application: id }}
                type="primary"
                onClick={() => go(pathTo('startBuild', { application: id }))}
              >
                {text('build.start')}
              </Act>
            }
          >
            <div className="columns">
              <Workloads application={one} path={path} />
              <SourcePanel application={one} path={path} />
            </div>
            <Builds application={one} path={path} />
          </Page>
        )
      }}
    </Loaded>
  )
}

type PartProps = { readonly application: Application; readonly path: string }

function Workloads({ application, path }: PartProps) {
  const { text } = useText()
  const [isOpen, setOpen] = useState(false)
  const states = useAnswer(
    'searchWorkloads',
    { application: application.id, limit: 200 },
    { everyMs: EVERY_MS },
  )
  return (
    <Panel
      title={text('application.workloads')}
      isFlush
      actions={
        <Act
          does="createWorkload"
          where={{ application: application.id }}
          icon={<Icon of={PlusOutlined} />}
          onClick={() => setOpen(true)}
        >
          {text('application.addWorkload')}
        </Act>
      }
    >
      <Loaded of={states}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty command={`workload create ${path}/<environment>`}>{text('application.noWorkloads')}</Empty>
          ) : (
            <ul className="list">
              {items.map(({ workload, health, instances, serving, active }) => (
                <li key={workload.id}>
                  <span className="list-main">
                    <Go to={pathTo('workload', { workload: workload.id })}>{environmentOf(workload.name)}</Go>
                  </span>
                  <span className="list-side">
                    {active && <ReleaseStatus state={active.state} paused={active.paused} />}
                    {serving && <ReleaseLink id={serving.id} number={serving.number} />}
                    <span className="number">{text('workload.instancesShort', instances)}</span>
                    <HealthStatus health={health} />
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      {isOpen && <AddWorkload application={application} path={path} close={() => setOpen(false)} />}
    </Panel>
  )
}

function SourcePanel({ application, path }: PartProps) {
  const { text } = useText()
  const [isOpen, setOpen] = useState(false)
  const source = useAnswer('getSource', { application: application.id })
  const isMissing = source.error instanceof ApiError && source.error.status === 404
  return (
    <Panel
      title={text('application.source')}
      actions={
        <Act does="setSource" where={{ application: application.id }} onClick={() => setOpen(true)}>
          {text(source.data ? 'application.sourceChange' : 'application.sourceSet')}
        </Act>
      }
    >
      {isMissing ? (
        <Empty command={`source set ${path} <url>`}>{text('application.sourceNone')}</Empty>
      ) : (
        <Loaded of={source}>
          {({ url, defaultBranch, credentials, updatedAt }) => (
            <Facts
              rows={[
                [text('application.sourceUrl'), <Code key="url" value={url} />],
                [text('application.branch'), defaultBranch ?? text('application.branchHelp')],
                [text('application.credentials'), credentials?.kind ?? text('application.credentialsNone')],
                [text('common.since'), <Time key="at" at={updatedAt} />],
              ]}
            />
          )}
        </Loaded>
      )}
      {isOpen && <SetSource application={application} path={path} close={() => setOpen(false)} />}
    </Panel>
  )
}
