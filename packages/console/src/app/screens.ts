import { lazyRouteComponent } from '@tanstack/react-router'

import { must } from '@slipway/kit'

import type { RouteEntry } from '../routes/table.ts'

type PageModule = { readonly default: () => React.ReactNode }

/** Every screen's page, loaded when somebody goes there. */
const pages = import.meta.glob<PageModule>('../screens/*/page.tsx')

/** @throws {AssertionError} when there is no such folder, which the build's test finds before */
export function screenOf(entry: RouteEntry) {
  const load = must(pages[`../screens/${entry.screen}/page.tsx`], `there is a screen ${entry.screen}`)
  return lazyRouteComponent(load)
}
