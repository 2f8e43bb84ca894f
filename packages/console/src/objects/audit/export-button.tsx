import { DownloadOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useEffect, useRef, useState } from 'react'

import type { AuditEvent } from '@slipway/contract'

import { api } from '../../data/client.ts'
import { noticeFailure } from '../../data/queries.ts'
import { useText } from '../../preferences/text.ts'
import { Icon } from '../../ui/icon.tsx'
import { Refusal } from '../../ui/refusal.tsx'
import { saveFile } from '../../ui/save-file.ts'
import type { AuditPlace } from './audit-log.tsx'
import { csvLine, type AuditFilters } from './filters.ts'

const PAGE_ROWS = 200
/** More than this is what `slipway audit list -o json` is for. */
const EVENTS_MAX = 50_000
const HEAD = [
  'at',
  'actor',
  'actorName',
  'action',
  'target',
  'outcome',
  'code',
  'address',
  'requestId',
  'chain',
  'sequence',
  'detail',
  'hash',
]

type ExportProps = { readonly place: AuditPlace; readonly filters: AuditFilters }

/** Saves all events that fit the filters as a CSV file. */
export function ExportButton({ place, filters }: ExportProps) {
  const { text } = useText()
  const [count, setCount] = useState<number>()
  const [isLimited, setLimited] = useState(false)
  const [error, setError] = useState<unknown>()
  const ending = useRef(new AbortController())
  useEffect(() => {
    const controller = new AbortController()
    ending.current = controller
    return () => controller.abort(new Error('left'))
  }, [])
  const run = async (): Promise<void> => {
    setError(undefined)
    setLimited(false)
    setCount(0)
    const { signal } = ending.current
    try {
      const lines = [csvLine(HEAD)]
      for await (const { items } of pagesOf(place, filters, signal)) {
        for (const event of items) lines.push(lineOf(event))
        setCount(lines.length - 1)
        if (lines.length > EVENTS_MAX) {
          setLimited(true)
          break
        }
      }
      saveFile('slipway-audit.csv', 'text/csv', lines)
    } catch (thrown) {
      if (signal.aborted) return
      noticeFailure(thrown)
      setError(thrown)
    }
    setCount(undefined)
  }
  return (
    <>
      <span role="status" className="soft">
        {count !== undefined && text('audit.exporting', { count })}
        {isLimited && text('audit.exportLimited', { count: EVENTS_MAX })}
      </span>
      <Button icon={<Icon of={DownloadOutlined} />} loading={count !== undefined} onClick={() => void run()}>
        {text('audit.export')}
      </Button>
      <Refusal error={error} />
    </>
  )
}

function pagesOf(place: AuditPlace, filters: AuditFilters, signal: AbortSignal) {
  const request = { ...filters, limit: PAGE_ROWS }
  if (place.kind === 'organization')
    return api.pages.listOrganizationAuditEvents({ ...request, organization: place.organization }, { signal })
  return api.pages.listAuditEvents(
    { ...request, ...(place.chain === undefined ? {} : { chain: place.chain }) },
    { signal },
  )
}

function lineOf(event: AuditEvent): string {
  const {
    at,
    actor,
    actorName,
    action,
    target,
    outcome,
    code,
    address,
    requestId,
    chain,
    sequence,
    detail,
    hash,
  } = event
  return csvLine([
    at,
    actor,
    actorName,
    action,
    target,
    outcome,
    code,
    address,
    requestId,
    chain,
    sequence,
    JSON.stringify(detail),
    hash,
  ])
}
