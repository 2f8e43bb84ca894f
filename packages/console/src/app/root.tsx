import type { UseQueryResult } from '@tanstack/react-query'
import { Outlet, useMatches, useRouterState } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'

import { useLiveChanges } from '../data/live/use-live.ts'
import { useAnswer } from '../data/queries.ts'
import { isSignedOut, rememberSignedIn, wasSignedIn } from '../data/session.ts'
import { useText } from '../preferences/text.ts'
import { pathTo } from '../routes/path.ts'
import { routeEntries } from '../routes/table.ts'
import { useGo } from '../routes/use.ts'
import { Logo } from '../theme/logo.tsx'
import { Refusal } from '../ui/refusal.tsx'
import { ConnectionBar } from './connection-bar.tsx'
import { SessionDialog } from './session-dialog.tsx'
import { Shell } from './shell.tsx'

/** Decides between the frame with its pages, the public pages, and the way to them. */
export function Root() {
  // What is shown, not where one is going: on the way out of a page that page still stands here.
  const shown = useMatches().at(-1)?.fullPath
  const isPublic = routeEntries.some(([, entry]) => entry.isPublic === true && entry.path === shown)
  if (isPublic)
    return (
      <>
        <ConnectionBar />
        <Outlet />
      </>
    )
  return <Private />
}

function Private() {
  // As it was when this page was opened: another tab may change it, and what is open here stays open.
  const [hasHint] = useState(wasSignedIn)
  const account = useAnswer('whoami', {}, { enabled: hasHint, quiet: true })
  const isOutside = account.data === undefined && (!hasHint || isSignedOut(account.error))
  const firstRun = useAnswer('getFirstRun', {}, { enabled: isOutside })
  const here = useRouterState({ select: (state) => state.location.href })
  const go = useGo()
  const isLeaving = useRef(false)
  const isOpen = firstRun.data?.open
  useEffect(() => {
    // On the way out the address is the next page's already, which is no place to return to.
    if (!isOutside || isOpen === undefined || isLeaving.current) return
    isLeaving.current = true
    rememberSignedIn(false)
    const to = isOpen ? pathTo('firstRun') : pathTo('signIn', undefined, { return: here === '/' ? '' : here })
    go(to, { replace: true })
  }, [isOutside, isOpen, here, go])
  useLiveChanges(account.data !== undefined)
  if (account.data)
    return (
      <>
        <ConnectionBar />
        <Shell account={account.data}>
          <Outlet />
        </Shell>
        <SessionDialog name={account.data.user.name} />
      </>
    )
  return <Opening of={isOutside ? firstRun : account} />
}

/** What stands here for the moment in which it is found out who is there. */
function Opening({ of }: { readonly of: Pick<UseQueryResult, 'error' | 'refetch'> }) {
  const { text } = useText()
  const { error } = of
  return (
    <div className="opening" role="status">
      <ConnectionBar />
      <Logo sizePx={40} />
      <p>{text('common.loading')}</p>
      {error && !isSignedOut(error) && <Refusal error={error} retry={() => void of.refetch()} />}
    </div>
  )
}
