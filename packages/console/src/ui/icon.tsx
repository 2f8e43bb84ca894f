import type { ComponentType } from 'react'

/** A picture beside words that say the same; nothing of it is read aloud. */
export function Icon({ of: Picture }: { readonly of: ComponentType }) {
  return (
    <span className="icon" aria-hidden="true">
      <Picture />
    </span>
  )
}
