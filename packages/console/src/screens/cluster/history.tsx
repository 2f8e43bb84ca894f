import { useRows } from '../../data/queries.ts'
import { useText } from '../../preferences/text.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty } from '../../ui/page.tsx'
import { Status } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'

const SHOWN = 10

/** What people did with a Cluster last. */
export function History({ id }: { readonly id: string }) {
  const { text } = useText()
  const target = `cluster:${id}`
  const events = useRows('listAuditEvents', { target, limit: SHOWN })
  return (
    <Loaded of={{ ...events, data: events.rows }}>
      {(rows) =>
        rows.length === 0 ? (
          <Empty command={`audit list --target ${target}`}>{text('cluster.historyNone')}</Empty>
        ) : (
          <ul className="list">
            {rows.slice(0, SHOWN).map(({ id: event, action, actorName, outcome, at }) => (
              <li key={event}>
                <span className="list-main">
                  <code>{action}</code>
                  <small>{text('common.by', { name: actorName })}</small>
                </span>
                <span className="list-side">
                  <Status tone={outcome === 'success' ? 'good' : outcome === 'refused' ? 'warn' : 'bad'}>
                    {text(`audit.outcome.${outcome}`)}
                  </Status>
                  <Time at={at} />
                </span>
              </li>
            ))}
          </ul>
        )
      }
    </Loaded>
  )
}
