import { useEffect, useState } from 'react'

import { systemClock } from '@slipway/kit'

import { useAnswer, type AnswerOf, type RequestOf } from './queries.ts'

/** Typing settles for this long before a list is asked for. */
export const SETTLE_MS = 120
const FIRST_ROWS = 200
const FOUND_ROWS = 50

/** What was typed, once nothing was for a moment. */
export function useSettled(typed: string): string {
  const [settled, setSettled] = useState(typed)
  useEffect(() => {
    const timer = systemClock.after(SETTLE_MS, () => setSettled(typed))
    return () => timer[Symbol.dispose]()
  }, [typed])
  return settled
}

/** Lists that the server searches by a part of a name. */
type SearchedName = 'listOrganizations' | 'listProjects' | 'listApplications' | 'listWorkloads'
type ItemOf<Name extends SearchedName> = AnswerOf<Name>['items'][number]

/**
 * What a list has for somebody who types a part of a name. A list of one page is there as a whole, so that the one who reads it
 * finds things in it as they like; of a longer one come its first page and what the server finds for the text.
 */
export function useFound<Name extends SearchedName>(
  name: Name,
  typed: string,
): { readonly items: readonly ItemOf<Name>[]; readonly isPending: boolean } {
  const text = useSettled(typed.trim())
  // Each of these lists takes a limit and a text.
  const ask = (request: { readonly limit: number; readonly text?: string }) => request as RequestOf<Name>
  const first = useAnswer(name, ask({ limit: FIRST_ROWS }))
  const isSearched = first.data?.cursor !== undefined && text !== ''
  const found = useAnswer(name, ask({ limit: FOUND_ROWS, text }), { enabled: isSearched })
  const items: readonly ItemOf<Name>[] = first.data?.items ?? []
  const more: readonly ItemOf<Name>[] = isSearched ? (found.data?.items ?? []) : []
  return { items: withoutDoubles([...items, ...more]), isPending: first.isPending }
}

function withoutDoubles<Item extends { readonly id: string }>(items: readonly Item[]): readonly Item[] {
  return [...new Map(items.map((item) => [item.id, item])).values()]
}
