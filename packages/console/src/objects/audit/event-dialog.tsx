import { Modal } from 'antd'

import type { AuditEvent } from '@slipway/contract'

import { useFormat } from '../../preferences/format.ts'
import { useText } from '../../preferences/text.ts'
import { Code } from '../../ui/copy.tsx'
import { Facts } from '../../ui/page.tsx'

type EventProps = { readonly event: AuditEvent; readonly close: () => void }

/** Everything that was recorded about one event. */
export function EventDialog({ event, close }: EventProps) {
  const { text } = useText()
  const format = useFormat()
  return (
    <Modal
      open
      width={720}
      footer={null}
      onCancel={close}
      title={text('audit.detail', { number: event.sequence })}
    >
      <Facts
        rows={[
          [text('audit.when'), format.absolute(event.at)],
          [
            text('audit.who'),
            <span key="who">
              {event.actorName} <Code value={event.actor} />
            </span>,
          ],
          [text('audit.what'), <code key="what">{event.action}</code>],
          [text('audit.target'), event.target === '' ? '–' : <Code key="target" value={event.target} />],
          [text('audit.outcome'), `${text(`audit.outcome.${event.outcome}`)} ${event.code ?? ''}`],
          [text('audit.where'), <code key="where">{event.address}</code>],
          [text('audit.request'), <Code key="request" value={event.requestId} />],
          [text('audit.chain'), <Code key="chain" value={event.chain} />],
          [text('audit.hash'), <Code key="hash" value={event.hash} />],
          [text('audit.previousHash'), <Code key="previous" value={event.previousHash} />],
        ]}
      />
      {Object.keys(event.detail).length > 0 && (
        <pre className="audit-detail" tabIndex={0}>
          {JSON.stringify(event.detail, null, 2)}
        </pre>
      )}
    </Modal>
  )
}
