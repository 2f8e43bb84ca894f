import { defineErrors } from '@slipway/messages'

export const imageErrors = defineErrors({
  image_in_use: { status: 409 },
})
