import { Modal } from 'antd'

import { useText } from '../preferences/text.ts'
import { SignInForm } from './sign-in-form.tsx'

type DialogProps = {
  /** Somebody left on purpose, so nothing of the page is shown. */
  readonly isAway: boolean
  /** Who was signed in. */
  readonly name: string
  readonly done: (entered: string) => void
}

/** Asks to sign in again. */
export function SignInDialog({ isAway, name, done }: DialogProps) {
  const { text } = useText()
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
      <SignInForm name={name} done={({ user }) => done(user.name)} />
    </Modal>
  )
}
