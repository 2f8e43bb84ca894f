import { useEffect } from 'react'

import { tellHub } from '../data/live/live.ts'
import { cache } from '../data/queries.ts'
import { onSessionNews, sessionEnd } from '../data/session.ts'
import { signInDialogLater } from './later-parts.ts'

/** Asks to sign in again over the page that was open, so that nothing typed there is lost. */
export function SessionDialog({ name }: { readonly name: string }) {
  const end = sessionEnd.use()
  useEffect(() => onSessionNews((news) => hear(news, name)), [name])
  if (end === 'none') return null
  return (
    <signInDialogLater.Part
      isAway={end === 'signed-out'}
      name={name}
      done={(entered) => enter(entered, name)}
      waiting={end === 'signed-out' && <div className="covers-all" />}
    />
  )
}

function hear(news: Parameters<Parameters<typeof onSessionNews>[0]>[0], name: string): void {
  if (news.kind === 'signed-out') return sessionEnd.set('signed-out')
  sessionEnd.set('none')
  tellHub('restart')
  enter(news.name, name)
}

function enter(entered: string, before: string): void {
  // Another person sees another world; nothing of the one before may stay.
  if (entered !== before) window.location.assign('/')
  else void cache.invalidateQueries()
}
