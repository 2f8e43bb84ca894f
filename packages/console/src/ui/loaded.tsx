import type { ReactNode } from 'react'

import { useText } from '../preferences/text.ts'
import { Refusal } from './refusal.tsx'

type Query<T> = {
  readonly data: T | undefined
  readonly error: Error | null
  readonly refetch: () => Promise<unknown>
}

/** What a query brought; while there is nothing, that it loads or why it cannot. Old content stays while the server is away. */
export function Loaded<T>({
  of,
  children,
}: {
  readonly of: Query<T>
  readonly children: (data: T) => ReactNode
}) {
  const { text } = useText()
  if (of.data !== undefined) return children(of.data)
  if (of.error) return <Refusal error={of.error} retry={() => void of.refetch()} />
  return (
    <p className="loading" role="status">
      {text('common.loading')}
    </p>
  )
}
