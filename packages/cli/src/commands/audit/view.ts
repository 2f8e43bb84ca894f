import type { AuditEvent } from '@slipway/contract'

import { timeCell, type View } from '../../output/table.ts'

export const auditView: View<AuditEvent> = {
  columns: [
    { title: 'column.at', value: ({ at }) => timeCell(at) },
    { title: 'column.actor', value: ({ actorName }) => actorName },
    { title: 'column.action', value: ({ action }) => action },
    { title: 'column.outcome', value: ({ outcome }) => outcome },
    { title: 'column.code', value: ({ code }) => code, wide: true },
    { title: 'column.address', value: ({ address }) => address, wide: true },
    { title: 'column.requestId', value: ({ requestId }) => requestId, wide: true },
    { title: 'column.chain', value: ({ chain }) => chain, wide: true },
    { title: 'column.target', value: ({ target }) => target },
  ],
  name: ({ id }) => id,
}
