import { createRootRoute, createRoute, createRouter, type AnyRouter } from '@tanstack/react-router'

import { parseSearchText, searchText } from '../routes/path.ts'
import { routeEntries } from '../routes/table.ts'
import { Crashed, NothingHere } from './fallbacks.tsx'
import { Root } from './root.tsx'
import { screenOf } from './screens.ts'

const root = createRootRoute({
  component: Root,
  notFoundComponent: NothingHere,
  errorComponent: Crashed,
  // Every screen reads the parameters it knows and passes over the others, so an old link never becomes an error.
  validateSearch: (search: Record<string, unknown>) => search,
})

const children = routeEntries.map(([, entry]) =>
  createRoute({ getParentRoute: () => root, path: entry.path, component: screenOf(entry) }),
)

/** The places of the console, made from the table. */
export const router: AnyRouter = createRouter({
  routeTree: root.addChildren(children),
  defaultPreload: 'intent',
  defaultErrorComponent: Crashed,
  scrollRestoration: true,
  parseSearch: parseSearchText,
  stringifySearch: searchText,
})
