import type { Cluster } from '@slipway/contract'

import { useText } from '../../preferences/text.ts'
import { Panel } from '../../ui/page.tsx'
import { Status } from '../../ui/status.tsx'

/** What works, but should be known, each with the next step. Nothing when there is nothing. */
export function Warnings({ cluster: { warnings } }: { readonly cluster: Cluster }) {
  const { text } = useText()
  if (warnings.length === 0) return null
  return (
    <Panel title={text('cluster.warnings')} isFlush beside={<span className="count">{warnings.length}</span>}>
      <ul className="list" aria-label={text('cluster.warnings')}>
        {warnings.map((warning) => (
          <li key={warning}>
            <span className="list-main">
              <Status tone="warn">{text(`cluster.warning.${warning}`)}</Status>
              <small>{text(`cluster.warning.${warning}.fix`)}</small>
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
