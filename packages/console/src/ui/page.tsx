import { useEffect, type ReactNode } from 'react'

import { useText } from '../preferences/text.ts'
import { CommandLine } from './command.tsx'
import { Go } from './go.tsx'

export type Crumb = { readonly label: string; readonly to?: string }

type PageProps = {
  readonly title: string
  /** What stands above this page, from the top down. */
  readonly trail?: readonly Crumb[]
  /** Beside the title: state, facts. */
  readonly beside?: ReactNode
  readonly actions?: ReactNode
  readonly tabs?: ReactNode
  /** The line of the `slipway` command that shows the same. */
  readonly command?: string
  readonly children: ReactNode
}

/** What every page has: where it is, what it is called, what can be done, and the command that shows the same. */
export function Page({ title, trail = [], beside, actions, tabs, command, children }: PageProps) {
  const { text } = useText()
  const name = text('app.name')
  useEffect(() => {
    document.title = [title, ...trail.map(({ label }) => label).reverse(), name].join(' · ')
  })
  return (
    <>
      <header className="page-header">
        {trail.length > 0 && (
          <nav aria-label={text('breadcrumbs.label')}>
            <ol className="crumbs">
              {trail.map(({ label, to }) => (
                <li key={label}>{to === undefined ? label : <Go to={to}>{label}</Go>}</li>
              ))}
            </ol>
          </nav>
        )}
        <div className="page-title">
          <h1>{title}</h1>
          {beside}
          <div className="page-actions">{actions}</div>
        </div>
        {tabs}
      </header>
      <div className="page-body">{children}</div>
      {command !== undefined && (
        <footer className="page-footer">
          <CommandLine line={command} />
        </footer>
      )}
    </>
  )
}

type PanelProps = {
  readonly title: string
  readonly beside?: ReactNode
  readonly actions?: ReactNode
  readonly children: ReactNode
  readonly isFlush?: boolean
}

/** A titled part of a page. `isFlush`: its content reaches the border, as lists do. */
export function Panel({ title, beside, actions, children, isFlush = false }: PanelProps) {
  return (
    <section className={isFlush ? 'panel is-flush' : 'panel'} aria-label={title}>
      <div className="panel-title">
        <h2>{title}</h2>
        {beside}
        <div className="page-actions">{actions}</div>
      </div>
      <div className="panel-body">{children}</div>
    </section>
  )
}

/** What a list says that has nothing: the next step, and the command that takes it. */
export function Empty(props: {
  readonly children: ReactNode
  readonly action?: ReactNode
  readonly command?: string
}) {
  return (
    <div className="empty">
      <p>{props.children}</p>
      {props.action}
      {props.command !== undefined && <CommandLine line={props.command} />}
    </div>
  )
}

/** A list of facts: name and value. */
export function Facts({ rows }: { readonly rows: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
