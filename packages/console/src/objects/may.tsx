import { LockOutlined } from '@ant-design/icons'
import type { PermissionHolding } from '@slipway/contract'
import { MINUTE_MS } from '@slipway/kit'
import { Button, Tooltip } from 'antd'
import { useId, type ComponentProps, type ReactNode } from 'react'

import { neededOverall, neededThere, type Doing } from '../data/needs.ts'
import { useAnswer, type RequestOf } from '../data/queries.ts'
import { useText } from '../preferences/text.ts'
import { Go } from '../ui/go.tsx'
import { Icon } from '../ui/icon.tsx'

/*
 * What somebody may not do is shown, disabled, with what it takes and who gives that. The server decides; here it is only said
 * before. As long as nothing is known, everything can be tried.
 */

/** Where something is done: one object, by its id. */
export type Where = RequestOf<'listPermissions'>

/** What somebody lacks for something. */
export type Lack = Pick<PermissionHolding, 'permission' | 'role'>

/** A change of somebody's roles is told at once; this is for what nobody tells. */
const FRESH_MS = 5 * MINUTE_MS

/** What the reader lacks for an operation at a place; undefined when nothing, or when it is not known. */
export function useLack(does: Doing, where: Where = {}): Lack | undefined {
  return useHoldings(does, where).lack
}

function useHoldings(does: Doing, where: Where) {
  const overall = Object.entries(neededOverall).find(([name]) => name === does)?.[1]
  const needed = overall ?? Object.entries(neededThere).find(([name]) => name === does)?.[1]
  const isAsked = overall !== undefined || Object.values(where).some((id) => id !== undefined && id !== '')
  const { data, isPending } = useAnswer('listPermissions', overall === undefined ? where : {}, {
    enabled: isAsked,
    quiet: true,
    freshMs: FRESH_MS,
  })
  const lack: Lack | undefined = data?.items.find(
    ({ permission, allowed }) => permission === needed && !allowed,
  )
  return { lack, isPending: isAsked && isPending }
}

/** What it takes, in words. */
export function LackText({ lack: { permission, role } }: { readonly lack: Lack }) {
  const { text } = useText()
  const isOfPlatform = role === 'operator' || role === 'auditor'
  return (
    <>
      {isOfPlatform
        ? text('may.platform', { role: text(`settings.${role}`) })
        : text('may.organization', { role: text(`member.role.${role}`) })}{' '}
      {text('may.permission')} <code>{permission}</code>
    </>
  )
}

/** With a reference to the button, which the library's own type of its properties leaves out. */
type ButtonProps = ComponentProps<typeof Button>
type GuardedProps = ButtonProps & { readonly lack: Lack | undefined }

/** A button that says why it does nothing while the reader lacks what it takes; it stays within reach of the keyboard. */
export function Guarded({ lack, children, ...button }: GuardedProps) {
  const why = useId()
  if (lack === undefined) return <Button {...button}>{children}</Button>
  return (
    <Tooltip title={<LackText lack={lack} />} trigger={['hover', 'focus']}>
      <span className="refused">
        <Button
          {...button}
          className={`ant-btn-disabled ${button.className ?? ''}`}
          htmlType="button"
          onClick={() => undefined}
          aria-disabled
          aria-describedby={why}
        >
          {children}
        </Button>
        <span id={why} hidden>
          <LackText lack={lack} />
        </span>
      </span>
    </Tooltip>
  )
}

type ActProps = ButtonProps & { readonly does: Doing; readonly where?: Where }

/** A button for an operation at a place. */
export function Act({ does, where, ...button }: ActProps) {
  return <Guarded lack={useLack(does, where)} {...button} />
}

/** A part of a page that is read by an operation; instead of trying in vain it says what that takes. */
export function Allowed(props: {
  readonly does: Doing
  readonly where?: Where
  readonly children: ReactNode
}) {
  const { lack, isPending } = useHoldings(props.does, props.where ?? {})
  // Asked first, so that nothing is refused that could have been known.
  if (isPending) return null
  if (lack === undefined) return props.children
  return (
    <p className="lacking">
      <Icon of={LockOutlined} /> <LackText lack={lack} />
    </p>
  )
}

type GuardedGoProps = {
  readonly lack: Lack | undefined
  readonly to: string
  readonly children: string
}

/** A link to where something is done; plain words with the reason while the reader lacks what it takes. */
export function GuardedGo({ lack, to, children }: GuardedGoProps) {
  const why = useId()
  if (lack === undefined) return <Go to={to}>{children}</Go>
  return (
    <Tooltip title={<LackText lack={lack} />} trigger={['hover', 'focus']}>
      <span className="refused">
        <a role="link" aria-disabled="true" aria-describedby={why} tabIndex={0}>
          {children}
        </a>
        <span id={why} hidden>
          <LackText lack={lack} />
        </span>
      </span>
    </Tooltip>
  )
}
