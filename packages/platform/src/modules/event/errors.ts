import { defineErrors } from '@slipway/messages'

export const eventErrors = defineErrors({
  event_reader_slow: { status: 503 },
})
