import { DownloadOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useState } from 'react'

import type { Build } from '@slipway/contract'
import { isRecord } from '@slipway/kit'
import { errorText } from '@slipway/messages'

import { api } from '../../data/client.ts'
import { useEvents } from '../../data/events.ts'
import { useAnswer, useChange } from '../../data/queries.ts'
import { BuildStatus, isBuildOver, shortCommit } from '../../objects/build.tsx'
import { useApplicationTrail } from '../../objects/workload.tsx'
import { Act } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { useRouteParams } from '../../routes/use.ts'
import { Code, shortDigest } from '../../ui/copy.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { LogView } from '../../ui/log/log-view.tsx'
import { useLines } from '../../ui/log/use-lines.ts'
import { Facts, Page, Panel } from '../../ui/page.tsx'
import { Refusal } from '../../ui/refusal.tsx'
import { Shape } from '../../ui/status.tsx'
import { Duration, Time } from '../../ui/time.tsx'
import { ReleaseButtons } from './release-buttons.tsx'
import { Icon } from '../../ui/icon.tsx'

/** One build, live: where it stands, what it says, what came of it. */
export default function BuildPage() {
  const { build: id } = useRouteParams<'build'>()
  const first = useAnswer('getBuild', { build: id })
  const [seen, setSeen] = useState<Build>()
  const lines = useLines(id)
  useEvents(
    first.data ? id : undefined,
    (options) => api.followBuildLog({ build: id }, options),
    ({ name, data }) => {
      // The stream's events are the contract's: `line` with time and text, `build` with the whole object.
      if (name === 'build') setSeen(data as Build)
      else if (name === 'line' && isRecord(data))
        lines.add([{ at: String(data['at']), text: String(data['text']) }])
    },
  )
  return (
    <Loaded of={first}>
      {(loaded) => <BuildView build={seen?.id === id ? seen : loaded} lines={lines} />}
    </Loaded>
  )
}

type ViewProps = {
  readonly build: Build
  readonly lines: Pick<ReturnType<typeof useLines>, 'rows' | 'droppedCount'>
}

function BuildView({ build, lines }: ViewProps) {
  const { text } = useText()
  const trail = useApplicationTrail(build.applicationId)
  const cancel = useChange('cancelBuild')
  return (
    <Page
      title={text('build.number', { number: build.number })}
      trail={trail}
      beside={<BuildStatus state={build.state} />}
      command={`build logs ${build.id}`}
      actions={
        isBuildOver(build.state) ? (
          build.state === 'Succeeded' && <ReleaseButtons build={build} />
        ) : (
          <Act
            does="cancelBuild"
            where={{ application: build.applicationId }}
            danger
            loading={cancel.isPending}
            onClick={() => cancel.mutate({ build: build.id })}
          >
            {text('build.cancel')}
          </Act>
        )
      }
    >
      <Refusal error={cancel.error} />
      <Reason build={build} />
      <Panel title={text('build.commit')}>
        <div className="columns">
          <Facts
            rows={[
              [
                text('build.commit'),
                <Code
                  key="commit"
                  value={build.commit || build.ref}
                  shown={shortCommit(build.commit || build.ref)}
                />,
              ],
              [text('release.who'), build.createdBy],
              [text('common.created'), <Time key="created" at={build.createdAt} />],
              [
                text('build.duration'),
                build.startedAt !== null && (
                  <Duration key="took" from={build.startedAt} until={build.endedAt} />
                ),
              ],
            ]}
          />
          <Facts
            rows={[
              [text('build.language'), build.language ?? '–'],
              [text('build.base'), build.base ?? '–'],
              [
                text('build.image'),
                build.image === null ? (
                  '–'
                ) : (
                  <Code key="image" value={build.image} shown={shortDigest(build.image)} />
                ),
              ],
              [text('build.isolation'), build.isolation ?? '–'],
            ]}
          />
        </div>
      </Panel>
      <Panel title={text('build.log')} isFlush>
        <LogView
          label={text('build.log')}
          rows={lines.rows}
          droppedCount={lines.droppedCount}
          actions={
            <Button
              type="text"
              size="small"
              icon={<Icon of={DownloadOutlined} />}
              href={`/v1/builds/${encodeURIComponent(build.id)}/log`}
              download
            >
              {text('build.download')}
            </Button>
          }
        />
      </Panel>
    </Page>
  )
}

function Reason({ build }: { readonly build: Build }) {
  const { language } = useText()
  if (build.reason === null) return null
  return (
    <div className="refusal" role="status">
      <Shape tone="bad" sizePx={14} />
      <p className="refusal-text">{errorText(language, build.reason.code, build.reason.params)}</p>
    </div>
  )
}
