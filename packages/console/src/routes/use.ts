import { useNavigate, useParams, useRouterState, useSearch } from '@tanstack/react-router'

import type { ParamsOf, Search } from './path.ts'
import type { RouteName } from './table.ts'

/** The parameters in the address of the place `Name`, for what is shown there. */
export function useRouteParams<Name extends RouteName>(): ParamsOf<Name> {
  return useParams({ strict: false })
}

/** What a screen keeps in the address, and a way to change parts of it in place. */
export function useRouteSearch(): readonly [Search, (change: Search) => void] {
  const search: Search = useSearch({ strict: false })
  const go = useGo()
  const path = useRouterState({ select: (state) => state.location.pathname })
  return [search, (change) => go(path, { search: { ...search, ...change }, replace: true })]
}

/** Goes to an address made by `pathTo`. */
export function useGo(): (
  to: string,
  options?: { readonly search?: Search; readonly replace?: boolean },
) => void {
  const navigate = useNavigate()
  return (to, options = {}) => {
    const [path = '', query = ''] = to.split('?', 2)
    const search = options.search ?? Object.fromEntries(new URLSearchParams(query))
    void navigate({ to: path, search: withoutEmpty(search), replace: options.replace ?? false } as never)
  }
}

function withoutEmpty(search: Search): Search {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined && value !== ''))
}
