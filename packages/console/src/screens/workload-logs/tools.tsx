import { DownOutlined, DownloadOutlined, UpOutlined, VerticalAlignBottomOutlined } from '@ant-design/icons'
import { Button, Dropdown, Select, Switch, Tooltip } from 'antd'

import type { Instance } from '@slipway/contract'

import { nameOfInstance, shortName } from '../../objects/instance-name.ts'
import { useText } from '../../preferences/text.ts'
import { Filter } from '../../ui/filter.tsx'
import { Icon } from '../../ui/icon.tsx'
import { downloadText } from './download.ts'
import type { LogBuffer } from './buffer.ts'
import { spans, type LogView, type Span } from './view.ts'

type ToolsProps = {
  readonly name: string
  readonly view: LogView
  readonly change: (change: Readonly<Record<string, string | undefined>>) => void
  readonly instances: readonly Instance[]
  readonly buffer: LogBuffer
  /** Which of the matches one is at, from 0. */
  readonly at: number | undefined
  readonly step: (by: 1 | -1) => void
  readonly isFollowing: boolean
  readonly follow: () => void
}

const SPANS = Object.keys(spans) as readonly Span[]

/** What a log is narrowed by, what is looked for in it, and how it is shown. */
export function LogTools(props: ToolsProps) {
  const { view, change } = props
  const { text } = useText()
  return (
    <div className="log-tools">
      <Find {...props} />
      <Select<Span>
        aria-label={text('log.since')}
        value={view.span}
        popupMatchSelectWidth={false}
        onChange={(span) => change({ since: span === 'last' ? undefined : span, line: undefined })}
        options={SPANS.map((value) => ({ value, label: text(`log.since.${value}`) }))}
      />
      <InstanceChoice {...props} />
      <Labelled label={text('log.previous')}>
        <Switch
          size="small"
          aria-label={text('log.previous')}
          checked={view.isPrevious}
          onChange={(is) => change({ previous: is ? 'true' : undefined, line: undefined })}
        />
      </Labelled>
      <div className="log-end">
        <Labelled label={text('log.wrap')}>
          <Switch
            size="small"
            aria-label={text('log.wrap')}
            checked={view.isWrapped}
            onChange={(is) => change({ wrap: is ? undefined : 'false' })}
          />
        </Labelled>
        <Labelled label={text('log.times')}>
          <Switch
            size="small"
            aria-label={text('log.times')}
            checked={view.hasTimes}
            onChange={(is) => change({ times: is ? undefined : 'false' })}
          />
        </Labelled>
        <DownloadMenu {...props} />
        <Button
          type={props.isFollowing ? 'default' : 'primary'}
          icon={<Icon of={VerticalAlignBottomOutlined} />}
          aria-pressed={props.isFollowing}
          disabled={view.isPrevious}
          onClick={props.follow}
        >
          {text('log.follow')}
        </Button>
      </div>
    </div>
  )
}

function Labelled({ label, children }: { readonly label: string; readonly children: React.ReactNode }) {
  return (
    <span className="switch-inline">
      {children}
      <span aria-hidden="true">{label}</span>
    </span>
  )
}

function Find({ view, change, buffer, at, step }: ToolsProps) {
  const { text } = useText()
  const count = buffer.matches.length
  return (
    <>
      <span
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.nativeEvent.isComposing) return
          event.preventDefault()
          step(event.shiftKey ? -1 : 1)
        }}
      >
        <Filter
          label={text('log.find')}
          value={view.find}
          change={(find) => change({ find, ...(find === '' ? { only: undefined } : {}) })}
        />
      </span>
      {view.find !== '' && (
        <>
          <span className="number" role="status">
            {at === undefined
              ? text('log.matches', { count })
              : text('log.matchOf', { number: at + 1, count })}
          </span>
          <Tooltip title={text('log.before')}>
            <Button
              type="text"
              size="small"
              aria-label={text('log.before')}
              icon={<Icon of={UpOutlined} />}
              disabled={count === 0}
              onClick={() => step(-1)}
            />
          </Tooltip>
          <Tooltip title={text('log.after')}>
            <Button
              type="text"
              size="small"
              aria-label={text('log.after')}
              icon={<Icon of={DownOutlined} />}
              disabled={count === 0}
              onClick={() => step(1)}
            />
          </Tooltip>
          <Labelled label={text('log.only')}>
            <Switch
              size="small"
              aria-label={text('log.only')}
              checked={view.onlyMatches}
              onChange={(is) => change({ only: is ? 'true' : undefined })}
            />
          </Labelled>
        </>
      )}
    </>
  )
}

const EVERYONE = '*'

function InstanceChoice({ view, change, instances }: ToolsProps) {
  const { text } = useText()
  const known = instances.map(({ id }) => id)
  const all = view.instance === undefined || known.includes(view.instance) ? known : [view.instance, ...known]
  return (
    <Select<string>
      aria-label={text('log.instance')}
      value={view.instance ?? EVERYONE}
      popupMatchSelectWidth={false}
      showSearch
      optionFilterProp="label"
      onChange={(id) => change({ instance: id === EVERYONE ? undefined : id, line: undefined })}
      options={[
        { value: EVERYONE, label: text('log.instancesAll') },
        ...all.map((id) => ({ value: id, label: nameOfInstance(id) })),
      ]}
      labelRender={({ value }) => (value === EVERYONE ? text('log.instancesAll') : shortName(String(value)))}
    />
  )
}

function DownloadMenu({ name, view, instances, buffer }: ToolsProps) {
  const { text } = useText()
  const rows = view.find !== '' && view.onlyMatches ? buffer.matches : buffer.lines
  const previous = view.isPrevious ? '&previous=true' : ''
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        items: [
          {
            key: 'shown',
            label: text('log.downloadShown', { count: rows.length }),
            disabled: rows.length === 0,
            onClick: () => downloadText(`${name.replaceAll('/', '-')}.log`, rows),
          },
          { type: 'divider' },
          ...instances.map(({ id }) => ({
            key: id,
            label: (
              <a href={`/v1/instances/${encodeURIComponent(id)}/logs?timestamps=true${previous}`} download>
                {text('log.downloadOf', { name: nameOfInstance(id) })}
              </a>
            ),
          })),
        ],
      }}
    >
      <Button icon={<Icon of={DownloadOutlined} />}>{text('log.download')}</Button>
    </Dropdown>
  )
}
