import { useRouterState } from '@tanstack/react-router'
import type { ReactNode } from 'react'

import { Go } from './go.tsx'

type Tab = { readonly label: ReactNode; readonly to: string }

/** Places beside each other below one title; each has an address of its own. */
export function Tabs({ tabs, label }: { readonly tabs: readonly Tab[]; readonly label: string }) {
  const path = useRouterState({ select: (state) => state.location.pathname })
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map((tab) => (
        <Go key={tab.to} to={tab.to} className={tab.to.split('?')[0] === path ? 'is-here' : ''}>
          {tab.label}
        </Go>
      ))}
    </nav>
  )
}
