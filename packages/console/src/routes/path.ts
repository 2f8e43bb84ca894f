import { routes, type RouteName } from './table.ts'

type ParamNames<Path> = Path extends `${string}$${infer Name}/${infer Rest}`
  ? Name | ParamNames<`/${Rest}`>
  : Path extends `${string}$${infer Name}`
    ? Name
    : never

export type ParamsOf<Name extends RouteName> = Readonly<
  Record<ParamNames<(typeof routes)[Name]['path']>, string>
>
export type Search = Readonly<Record<string, string | undefined>>

type Arguments<Name extends RouteName> = [ParamNames<(typeof routes)[Name]['path']>] extends [never]
  ? [params?: undefined, search?: Search]
  : [params: ParamsOf<Name>, search?: Search]

/** The address of a place; parameters are escaped, empty search values left out. */
export function pathTo<Name extends RouteName>(name: Name, ...[params, search]: Arguments<Name>): string {
  const given: Readonly<Record<string, string>> = params ?? {}
  const path = routes[name].path.replaceAll(/\$([a-zA-Z]+)/gu, (_, key: string) =>
    encodeURIComponent(given[key] ?? ''),
  )
  const query = searchText(search ?? {})
  return path + query
}

/** `?a=1&b=2`, without empty values; nothing when there are none. */
export function searchText(search: Readonly<Record<string, unknown>>): string {
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries(search))
    if (typeof value === 'string' && value !== '') query.append(key, value)
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}

/** Search parameters as plain text, whatever stands in a link. */
export function parseSearchText(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(new URLSearchParams(text))
}
