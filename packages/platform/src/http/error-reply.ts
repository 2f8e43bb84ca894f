import type { ErrorBody } from '@slipway/contract'
import type { AppError } from '@slipway/kit'
import { errorText } from '@slipway/messages'

/** The body of a refusal, with the English text for those who read it raw. */
export function errorBody(refusal: AppError, requestId: string): ErrorBody {
  return {
    error: {
      code: refusal.code,
      message: errorText('en', refusal.code, refusal.params),
      params: { ...refusal.params },
      requestId,
    },
  }
}
