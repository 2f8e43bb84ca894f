import { Button } from 'antd'
import { useState } from 'react'

import { useAnswer } from '../../data/queries.ts'
import { useFormat } from '../../preferences/format.ts'
import { useText } from '../../preferences/text.ts'
import { Refusal } from '../../ui/refusal.tsx'
import { Status } from '../../ui/status.tsx'
import type { AuditPlace } from './audit-log.tsx'

/** Has the server recompute a chain, and says whether it holds. Without a chosen chain there is nothing to verify. */
export function VerifyButton({ place }: { readonly place: AuditPlace }) {
  const { text } = useText()
  const format = useFormat()
  const chain = place.kind === 'organization' ? place.organization : place.chain
  const [asked, setAsked] = useState<string>()
  const result = useAnswer('verifyAudit', { chain: asked ?? '' }, { enabled: asked !== undefined })
  if (chain === undefined) return null
  const isAnswered = asked === chain && !result.isFetching
  return (
    <>
      <span role="status">
        {isAnswered && result.data && (
          <Status tone={result.data.intact ? 'good' : 'bad'}>
            {result.data.intact
              ? text('audit.intact', { count: format.number(result.data.events) })
              : text('audit.broken', { number: result.data.brokenAt ?? 0 })}
          </Status>
        )}
      </span>
      {isAnswered && <Refusal error={result.error} />}
      <Button
        loading={asked === chain && result.isFetching}
        onClick={() => {
          if (asked === chain) void result.refetch()
          setAsked(chain)
        }}
      >
        {text('audit.verify')}
      </Button>
    </>
  )
}
