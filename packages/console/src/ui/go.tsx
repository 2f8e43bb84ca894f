import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'

type GoProps = {
  /** Made by `pathTo`. */
  readonly to: string
  readonly children: ReactNode
  readonly className?: string
  readonly label?: string
}

/** A link within the console. */
export function Go({ to, children, className, label }: GoProps) {
  const [path = '', query = ''] = to.split('?', 2)
  return (
    <Link
      to={path}
      search={Object.fromEntries(new URLSearchParams(query))}
      {...(className === undefined ? {} : { className })}
      {...(label === undefined ? {} : { 'aria-label': label })}
    >
      {children}
    </Link>
  )
}

/** A link out of the console; only addresses of the web are followed. */
export function Out({ href, children }: { readonly href: string; readonly children: ReactNode }) {
  if (!/^https?:\/\//u.test(href)) return <span>{children}</span>
  return (
    <a href={href} target="_blank" rel="noreferrer noopener">
      {children}
    </a>
  )
}
