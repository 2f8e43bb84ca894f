import type { Location, LocationGrant } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'
import { Form, Input } from 'antd'
import { useState } from 'react'

import { useAllRows, useChange } from '../../data/queries.ts'
import { Standing } from '../../objects/location/grants.tsx'
import { Act } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Panel } from '../../ui/page.tsx'

const EVERY_MS = 10 * SECOND_MS
const REASON_MAX = 500

type ProjectProps = { readonly projectId: string; readonly projectSlug: string }

/** The Locations that are not open to everybody, and how this Project stands with each. Nothing where all are open. */
export function Locations({ projectId, projectSlug }: ProjectProps) {
  const { text } = useText()
  const [asked, setAsked] = useState<Location>()
  // Not everybody may see Locations; then there are none here.
  const locations = useAllRows('listLocations', { limit: 200 }, { quiet: true })
  const grants = useAllRows(
    'listLocationGrants',
    { project: projectId, limit: 200 },
    { everyMs: EVERY_MS, quiet: true },
  )
  const restricted = locations.rows?.filter((one) => one.restricted) ?? []
  if (restricted.length === 0) return null
  return (
    <Panel title={text('location.onRequest')} isFlush>
      <ul className="list" aria-label={text('location.onRequest')}>
        {restricted.map((location) => {
          const grant = grants.rows?.find((one) => one.location.id === location.id)
          const isOpen = grant?.state === 'Requested' || grant?.state === 'Granted'
          return (
            <li key={location.id}>
              <span className="list-main">
                {location.name}
                {grant !== undefined && <Answer grant={grant} />}
              </span>
              <span className="grant-side">
                {grant === undefined ? (
                  <span className="soft">{text('location.notAsked')}</span>
                ) : (
                  <Standing grant={grant} />
                )}
                {!isOpen && grants.rows !== undefined && (
                  <Act
                    does="requestLocation"
                    where={{ project: projectId }}
                    size="small"
                    onClick={() => setAsked(location)}
                  >
                    {text('location.ask')}
                  </Act>
                )}
              </span>
            </li>
          )
        })}
      </ul>
      {asked && (
        <Request
          location={asked}
          projectId={projectId}
          projectSlug={projectSlug}
          close={() => setAsked(undefined)}
        />
      )}
    </Panel>
  )
}

/** Why it was asked for, or what was answered. */
function Answer({ grant: { reason, comment, decidedByName } }: { readonly grant: LocationGrant }) {
  const { text } = useText()
  if (decidedByName === null) return reason === '' ? null : <small title={reason}>{reason}</small>
  return (
    <small title={comment}>
      {text('location.decidedBy', { name: decidedByName })}
      {comment !== '' && ` · ${comment}`}
    </small>
  )
}

type RequestProps = ProjectProps & { readonly location: Location; readonly close: () => void }

function Request({ location, projectId, projectSlug, close }: RequestProps) {
  const { text } = useText()
  const [reason, setReason] = useState('')
  const request = useChange('requestLocation', close)
  return (
    <Dialog
      title={text('location.askTitle', { name: location.name })}
      confirm={text('location.ask')}
      command={`location request ${location.slug} --project ${projectSlug}${reason.trim() === '' ? '' : ' --reason <text>'}`}
      isPending={request.isPending}
      error={request.error}
      close={close}
      act={() => request.mutate({ project: projectId, location: location.id, reason: reason.trim() })}
      widthPx={560}
    >
      <p>{text('location.askText')}</p>
      <Form layout="vertical" component="div">
        <Form.Item label={text('location.reason')} htmlFor="location-reason">
          <Input.TextArea
            id="location-reason"
            autoFocus
            rows={2}
            maxLength={REASON_MAX}
            value={reason}
            onChange={({ target }) => setReason(target.value)}
          />
        </Form.Item>
      </Form>
    </Dialog>
  )
}
