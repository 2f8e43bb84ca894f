import { MINUTE_MS } from '@slipway/kit'
import { useRouterState } from '@tanstack/react-router'

import { useAnswer } from '../data/queries.ts'
import { useText } from '../preferences/text.ts'
import { routeEntries, type RouteEntry } from '../routes/table.ts'
import { Go } from '../ui/go.tsx'
import { RouteIcon } from './route-icon.tsx'

/** The places of the first level, from the table of routes. */
export function Navigation() {
  const { text } = useText()
  const path = useRouterState({ select: (state) => state.location.pathname })
  const places = routeEntries.filter(([, entry]) => entry.menu !== undefined)
  const groups = (['work', 'platform'] as const).filter((menu) =>
    places.some(([, entry]) => entry.menu === menu),
  )
  return (
    <nav className="navigation" aria-label={text('nav.label')}>
      {groups.map((menu) => (
        <div key={menu} role="group" aria-label={text(menu === 'work' ? 'nav.work' : 'nav.platform')}>
          <p aria-hidden="true">{text(menu === 'work' ? 'nav.work' : 'nav.platform')}</p>
          <ul>
            {places
              .filter(([, entry]) => entry.menu === menu)
              .map(([name, entry]) => (
                <li key={name}>
                  <Go to={entry.path} className={isWithin(entry, path) ? 'is-here' : ''}>
                    <RouteIcon name={name} />
                    {text(entry.title)}
                    {name === 'approvals' && <WaitingCount />}
                  </Go>
                </li>
              ))}
          </ul>
        </div>
      ))}
    </nav>
  )
}

/** How many questions wait for the person who is here. */
function WaitingCount() {
  const { text } = useText()
  const waiting = useAnswer('listGates', { for: 'me', limit: 1 }, { everyMs: MINUTE_MS, quiet: true })
  const count = waiting.data?.total ?? 0
  if (count === 0) return null
  return (
    <span className="count" role="status" aria-label={text('approvals.count', { count })}>
      {count}
    </span>
  )
}

function isWithin({ path }: RouteEntry, here: string): boolean {
  return path === '/' ? here === '/' : here === path || here.startsWith(`${path}/`)
}
