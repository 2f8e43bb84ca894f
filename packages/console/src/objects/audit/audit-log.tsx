import { Button, Input } from 'antd'
import type { ReactNode } from 'react'

import type { AuditEvent } from '@slipway/contract'

import { useRows } from '../../data/queries.ts'
import { useFormat } from '../../preferences/format.ts'
import { useText } from '../../preferences/text.ts'
import { useRouteSearch } from '../../routes/use.ts'
import { Filter } from '../../ui/filter.tsx'
import { Grid, type Column } from '../../ui/grid/grid.tsx'
import { buttonsWidth } from '../../ui/grid/width.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Panel } from '../../ui/page.tsx'
import { fieldOf, momentOf } from '../../ui/moment.ts'
import { Status, type Tone } from '../../ui/status.tsx'
import { EventDialog } from './event-dialog.tsx'
import { ExportButton } from './export-button.tsx'
import { filtersOf } from './filters.ts'
import { VerifyButton } from './verify-button.tsx'
import './audit.css'

/** An Organization's log, or a chain of the installation (without one: all of them). */
export type AuditPlace =
  | { readonly kind: 'organization'; readonly organization: string }
  | { readonly kind: 'installation'; readonly chain: string | undefined }

type LogProps = { readonly place: AuditPlace; readonly choice?: ReactNode }

const PAGE_ROWS = 100
const tones: Readonly<Record<AuditEvent['outcome'], Tone>> = {
  success: 'good',
  refused: 'warn',
  failed: 'bad',
}

/** Who did what, to what, when, and with which outcome; filters stand in the address. */
export function AuditLog({ place, choice }: LogProps) {
  const { text } = useText()
  const [search, setSearch] = useRouteSearch()
  const filters = filtersOf(search)
  const events = useAudit(place, filters)
  const columns = useColumns(setSearch)
  const opened = events.rows?.find(({ id }) => id === search['event'])
  const isNarrowed = Object.keys(filters).length > 0
  return (
    <>
      <div className="toolbar audit-filters">
        {choice}
        {(['actor', 'action', 'target'] as const).map((name) => (
          <Filter
            key={name}
            label={text(name === 'target' ? 'audit.targetId' : `audit.${name}`)}
            value={filters[name] ?? ''}
            change={(value) => setSearch({ [name]: value })}
          />
        ))}
        {(['from', 'until'] as const).map((name) => (
          <label key={name} className="audit-time">
            <span>{text(`audit.${name}`)}</span>
            <Input
              type="datetime-local"
              value={fieldOf(filters[name])}
              onChange={({ target }) => setSearch({ [name]: momentOf(target.value) })}
            />
          </label>
        ))}
        {isNarrowed && (
          <Button
            type="link"
            onClick={() =>
              setSearch({
                actor: undefined,
                action: undefined,
                target: undefined,
                from: undefined,
                until: undefined,
              })
            }
          >
            {text('audit.clear')}
          </Button>
        )}
      </div>
      <Panel
        title={text('audit.list')}
        isFlush
        actions={
          <>
            <VerifyButton place={place} />
            <ExportButton place={place} filters={filters} />
          </>
        }
      >
        <Loaded of={{ ...events, data: events.rows }}>
          {(rows) => (
            <Grid
              label={text('audit.list')}
              of={{ ...events, rows }}
              keyOf={({ id }) => id}
              open={({ id }) => setSearch({ event: id })}
              columns={columns}
              empty={<Empty command="audit list">{text('audit.empty')}</Empty>}
            />
          )}
        </Loaded>
      </Panel>
      {opened && <EventDialog event={opened} close={() => setSearch({ event: undefined })} />}
    </>
  )
}

function useAudit(place: AuditPlace, filters: ReturnType<typeof filtersOf>) {
  const isOrganization = place.kind === 'organization'
  const chain = isOrganization ? undefined : place.chain
  const all = useRows(
    'listAuditEvents',
    { ...filters, limit: PAGE_ROWS, ...(chain === undefined ? {} : { chain }) },
    { enabled: !isOrganization },
  )
  const own = useRows(
    'listOrganizationAuditEvents',
    { ...filters, limit: PAGE_ROWS, organization: isOrganization ? place.organization : '' },
    { enabled: isOrganization },
  )
  return isOrganization ? own : all
}

function useColumns(
  setSearch: (change: Readonly<Record<string, string>>) => void,
): readonly Column<AuditEvent>[] {
  const { text } = useText()
  const format = useFormat()
  const narrowing = (name: string, value: string, shown: ReactNode): ReactNode => (
    <button
      type="button"
      className="audit-narrow"
      title={text('audit.narrow')}
      onClick={() => setSearch({ [name]: value })}
    >
      {shown}
    </button>
  )
  return [
    {
      id: 'at',
      title: text('audit.when'),
      width: '200px',
      cell: ({ at }) => <time dateTime={at}>{format.absolute(at)}</time>,
    },
    {
      id: 'actor',
      title: text('audit.who'),
      width: 'minmax(110px, 1fr)',
      cell: ({ actor, actorName }) => narrowing('actor', actor, actorName === '' ? actor : actorName),
    },
    {
      id: 'action',
      title: text('audit.what'),
      width: 'minmax(170px, 1.2fr)',
      cell: ({ action }) => narrowing('action', action, <code>{action}</code>),
    },
    {
      id: 'target',
      title: text('audit.target'),
      width: 'minmax(200px, 2fr)',
      cell: ({ target }) => target !== '' && narrowing('target', target, <code>{target}</code>),
    },
    {
      id: 'outcome',
      title: text('audit.outcome'),
      width: 'minmax(120px, 1.2fr)',
      cell: ({ outcome, code }) => (
        <span title={code ?? ''}>
          <Status tone={tones[outcome]}>
            {text(`audit.outcome.${outcome}`)} {code !== null && <code>{code}</code>}
          </Status>
        </span>
      ),
    },
    {
      id: 'where',
      title: text('audit.where'),
      width: '120px',
      cell: ({ address }) => <code>{address}</code>,
    },
    {
      id: 'open',
      title: text('common.actions'),
      isTitleHidden: true,
      width: buttonsWidth([text('audit.open')]),
      cell: ({ id }) => (
        <Button type="text" size="small" onClick={() => setSearch({ event: id })}>
          {text('audit.open')}
        </Button>
      ),
    },
  ]
}
