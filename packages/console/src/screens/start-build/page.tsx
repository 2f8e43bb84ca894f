import type { Application } from '@slipway/contract'

import { useAnswer, useChange } from '../../data/queries.ts'
import { shortCommit } from '../../objects/build.tsx'
import { useApplicationTrail } from '../../objects/workload.tsx'
import { Act } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo, useRouteParams, useRouteSearch } from '../../routes/use.ts'
import { Filter } from '../../ui/filter.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Page, Panel } from '../../ui/page.tsx'
import { Refusal } from '../../ui/refusal.tsx'
import { Time } from '../../ui/time.tsx'
import { BuildPlan } from './plan.tsx'

/** A commit, and what will be made of it, before anything is built. */
export default function StartBuildPage() {
  const { text } = useText()
  const go = useGo()
  const { application: id } = useRouteParams<'startBuild'>()
  const [search, setSearch] = useRouteSearch()
  const application = useAnswer('getApplication', { application: id })
  const trail = useApplicationTrail(id)
  const ref = search['ref']
  const resolution = useAnswer('resolveRef', { application: id, ...(ref ? { ref } : {}) })
  const start = useChange('startBuild', (build) => go(pathTo('build', { build: build.id })))
  const path = usePath(application.data)
  return (
    <Page
      title={text('build.start')}
      trail={trail}
      command={`build start ${path}${ref ? ` --ref ${ref}` : ''}`}
      actions={
        <Act
          does="startBuild"
          where={{ application: id }}
          type="primary"
          disabled={!resolution.data || resolution.error !== null}
          loading={start.isPending}
          onClick={() => start.mutate({ application: id, ref: resolution.data?.commit.id })}
        >
          {text('build.submit')}
        </Act>
      }
    >
      <Refusal error={start.error} />
      <div className="toolbar">
        <Filter label={text('build.ref')} value={ref ?? ''} change={(value) => setSearch({ ref: value })} />
      </div>
      <Refusal error={resolution.error} />
      <div className="columns">
        <Commits
          application={id}
          chosen={resolution.data?.commit.id}
          choose={(commit) => setSearch({ ref: commit })}
        />
        {resolution.data && <BuildPlan resolution={resolution.data} />}
      </div>
    </Page>
  )
}

function usePath(application: Application | undefined): string {
  const project = useAnswer(
    'getProject',
    { project: application?.projectId ?? '' },
    { enabled: application !== undefined },
  )
  return `${project.data?.slug ?? '<project>'}/${application?.slug ?? '<application>'}`
}

type CommitsProps = {
  readonly application: string
  readonly chosen: string | undefined
  readonly choose: (commit: string) => void
}

/** The newest commits of the default branch, as choices. */
function Commits({ application, chosen, choose }: CommitsProps) {
  const { text } = useText()
  const commits = useAnswer('listCommits', { application, limit: 20 })
  return (
    <Panel title={text('build.commits')} isFlush>
      <Loaded of={commits}>
        {({ items }) => (
          <ul className="list">
            {items.map(({ id, subject, author, authoredAt }) => (
              <li key={id} className={id === chosen ? 'is-chosen' : ''}>
                <label className="choice">
                  <input type="radio" name="commit" checked={id === chosen} onChange={() => choose(id)} />
                  <span className="list-main">
                    <span title={subject}>{subject}</span>
                    <small>
                      <code>{shortCommit(id)}</code> · {author} · <Time at={authoredAt} />
                    </small>
                  </span>
                </label>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  )
}
