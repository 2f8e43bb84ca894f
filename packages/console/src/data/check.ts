import { useMutation, type UseMutationResult } from '@tanstack/react-query'

import { api } from './client.ts'
import type { AnswerOf, JsonName, RequestOf } from './queries.ts'

/** Asks whether an operation would be accepted; everything is checked, nothing is changed. */
export function useCheck<Name extends JsonName>(
  name: Name,
): UseMutationResult<AnswerOf<Name>, Error, RequestOf<Name>> {
  return useMutation({
    mutationFn: (request: RequestOf<Name>) =>
      api.call(name, request as never, { dryRun: true }) as Promise<AnswerOf<Name>>,
  })
}
