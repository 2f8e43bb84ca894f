import { Modal } from 'antd'
import { useEffect } from 'react'

import { tellHub } from '../data/live/live.ts'
import { cache } from '../data/queries.ts'
import { onSessionNews, sessionEnd } from '../data/session.ts'
import { useText } from '../preferences/text.ts'
import { SignInForm } from './sign-in-form.tsx'

/** Asks to sign in again over the page that was open, so that nothing typed there is lost. */
export function SessionDialog({ name }: { readonly name: string }) {
  const { text } = useText()
  const end = sessionEnd.use()
  useEffect(() => onSessionNews((news) => hear(news, name)), [name])
  if (end === 'none') return null
  const isAway = end === 'signed-out'
  return (
    <Modal
      open
      title={text(isAway ? 'session.away.title' : 'session.ended.title')}
      closable={false}
      footer={null}
      width={380}
      keyboard={false}
      rootClassName={isAway ? 'covers-all' : ''}
    >
      <p>{text(isAway ? 'session.away.text' : 'session.ended.text')}</p>
      <SignInForm name={name} done={({ user }) => enter(user.name, name)} />
    </Modal>
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
