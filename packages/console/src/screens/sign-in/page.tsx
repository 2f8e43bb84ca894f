import { useEffect } from 'react'

import { SignInForm } from '../../app/sign-in-form.tsx'
import { cache } from '../../data/queries.ts'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo, useRouteSearch } from '../../routes/use.ts'
import { Welcome } from '../../ui/welcome.tsx'

/** Name and password, then back to the place that asked for them. */
export default function SignInPage() {
  const { text } = useText()
  const go = useGo()
  const [search] = useRouteSearch()
  useEffect(() => {
    document.title = `${text('signIn.title')} · ${text('app.name')}`
  })
  return (
    <Welcome>
      <h1>{text('signIn.title')}</h1>
      <SignInForm
        done={() => {
          cache.clear()
          go(placeOf(search['return']), { replace: true })
        }}
      />
      <p className="below">
        <small>{text('signIn.help')}</small>
      </p>
    </Welcome>
  )
}

/** Only places of this console are returned to, never an address that somebody put into a link. */
function placeOf(wanted: string | undefined): string {
  return wanted !== undefined && /^\/(?![/\\])/u.test(wanted) ? wanted : pathTo('home')
}
