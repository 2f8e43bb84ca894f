import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'
import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  type UseInfiniteQueryResult,
  type UseMutationResult,
  type UseQueryResult,
} from '@tanstack/react-query'
import { useEffect } from 'react'

import type { Contract, Endpoint } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'
import type { Client, OperationName } from '@slipway/sdk'

import { api } from './client.ts'
import { isUnreachable, lostSince, noticeLoss } from './connection.ts'
import { idsTaken, markGoing, unmarkGoing, useIsGoing } from './going.ts'
import { isLive, tellHub } from './live/live.ts'
import { intervalMs } from './live/told.ts'
import { isSignedOut, sessionEnd } from './session.ts'

/*
 * All reading and changing goes through here: one cache, one way to notice that the server is gone or the session has ended.
 * An answer is known by the operation's name and its request, so two panels that ask the same share it.
 */

const FRESH_MS = SECOND_MS
/** Pages of a list that is read as a whole. */
const PAGES_MAX = 25

/** Tells the frame when an error means that the server is away or the session has ended. */
export function noticeFailure(error: unknown): void {
  if (isUnreachable(error))
    noticeLoss(() => {
      tellHub('retry')
      void cache.invalidateQueries()
    })
  else if (isSignedOut(error) && sessionEnd.get() === 'none') sessionEnd.set('ended')
}

export const cache: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      if (query.meta?.['quiet'] !== true) noticeFailure(error)
    },
  }),
  mutationCache: new MutationCache({ onError: noticeFailure }),
  defaultOptions: {
    queries: { staleTime: FRESH_MS, retry: false, networkMode: 'always' },
    mutations: { retry: false, networkMode: 'always' },
  },
})

/** Operations that answer JSON once. */
export type JsonName = {
  [Name in OperationName]: Contract[Name] extends Endpoint ? Name : never
}[OperationName]
export type RequestOf<Name extends JsonName> = NonNullable<Parameters<Client[Name]>[0]>
export type AnswerOf<Name extends JsonName> = Awaited<ReturnType<Client[Name]>>

type ReadOptions = {
  /** Asked again this often while the page is looked at, as far as changes of it are not told by the stream. */
  readonly everyMs?: number | false
  readonly enabled?: boolean
  /** How long an answer counts as new. */
  readonly freshMs?: number
  /** A refusal neither ends the session nor tells of a lost connection. */
  readonly quiet?: boolean
}

/** How often something is asked again by itself. While the server is away, one place asks for it instead of every panel. */
function useInterval(name: JsonName, { everyMs = false }: ReadOptions): number | false {
  const isLost = lostSince.use() !== undefined
  const isTold = isLive.use()
  return isLost ? false : intervalMs(name, everyMs, isTold)
}

/** What an operation answers, kept fresh. */
export function useAnswer<Name extends JsonName>(
  name: Name,
  request: RequestOf<Name>,
  options: ReadOptions = {},
): UseQueryResult<AnswerOf<Name>> {
  const everyMs = useInterval(name, options)
  const isGoing = useIsGoing(request)
  return useQuery({
    queryKey: [name, request],
    queryFn: ({ signal }) => api.call(name, request, { signal }) as Promise<AnswerOf<Name>>,
    refetchInterval: everyMs,
    enabled: (options.enabled ?? true) && !isGoing,
    staleTime: options.freshMs ?? FRESH_MS,
    placeholderData: keepPreviousData,
    meta: { quiet: options.quiet ?? false },
  })
}

type PageName = keyof Client['pages'] & JsonName
type PageOf<Name extends PageName> =
  AnswerOf<Name> extends { items: readonly (infer Item)[] }
    ? { readonly items: readonly Item[]; readonly cursor?: string; readonly total?: number }
    : never
export type RowOf<Name extends PageName> = PageOf<Name>['items'][number]

/** The rows of a list, page by page as they are asked for. */
export function useRows<Name extends PageName>(
  name: Name,
  request: Omit<RequestOf<Name>, 'cursor'>,
  options: ReadOptions = {},
): UseInfiniteQueryResult<{ readonly pages: readonly PageOf<Name>[] }> & {
  readonly rows: readonly RowOf<Name>[] | undefined
  /** How many there are in all, where the operation tells. */
  readonly total: number | undefined
  /** What the rows answer; undefined while they are still those of the question before. */
  readonly question: string | undefined
} {
  const everyMs = useInterval(name, options)
  const isGoing = useIsGoing(request)
  const result = useInfiniteQuery({
    queryKey: [name, request, 'pages'],
    queryFn: ({ pageParam, signal }) =>
      api.call(name, { ...request, cursor: pageParam }, { signal }) as Promise<PageOf<Name>>,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: PageOf<Name>) => last.cursor,
    refetchInterval: everyMs,
    enabled: (options.enabled ?? true) && !isGoing,
    placeholderData: keepPreviousData,
  })
  const pages = result.data?.pages
  return {
    ...result,
    rows: pages?.flatMap((page) => page.items),
    total: pages?.at(-1)?.total,
    question: result.isPlaceholderData ? undefined : JSON.stringify(request),
  }
}

/** All rows of a list that is never long, however many pages they come in. */
export function useAllRows<Name extends PageName>(
  name: Name,
  request: Omit<RequestOf<Name>, 'cursor'>,
  options: ReadOptions = {},
): ReturnType<typeof useRows<Name>> {
  const result = useRows(name, request, options)
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = result
  const count = result.data?.pages.length ?? 0
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && count < PAGES_MAX) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, fetchNextPage, count])
  return result
}

/** Calls a changing operation; afterwards everything shown is asked for again. The caller shows `error`. */
export function useChange<Name extends JsonName>(
  name: Name,
  done: (answer: AnswerOf<Name>) => void = () => undefined,
): UseMutationResult<AnswerOf<Name>, Error, RequestOf<Name>> {
  return useMutation({
    mutationFn: (request: RequestOf<Name>) => api.call(name, request as never) as Promise<AnswerOf<Name>>,
    onMutate: (request) => markGoing(idsTaken(name, request)),
    onError: (_, request) => unmarkGoing(idsTaken(name, request)),
    onSuccess: async (answer) => {
      done(answer)
      await cache.invalidateQueries()
    },
  })
}
