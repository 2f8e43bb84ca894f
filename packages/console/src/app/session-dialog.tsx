import { Modal } from 'antd'

import { cache } from '../data/queries.ts'
import { sessionEnded } from '../data/session.ts'
import { useText } from '../preferences/text.ts'
import { SignInForm } from './sign-in-form.tsx'

/** Asks to sign in again over the page that was open, so that nothing typed there is lost. */
export function SessionDialog({ name }: { readonly name: string }) {
  const { text } = useText()
  const isEnded = sessionEnded.use()
  if (!isEnded) return null
  return (
    <Modal
      open
      title={text('session.ended.title')}
      closable={false}
      footer={null}
      width={380}
      keyboard={false}
    >
      <p>{text('session.ended.text')}</p>
      <SignInForm
        name={name}
        done={(session) => {
          // Another person sees another world; nothing of the one before may stay.
          if (session.user.name !== name) cache.clear()
        }}
      />
    </Modal>
  )
}
