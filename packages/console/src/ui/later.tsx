import { useEffect, type ComponentType, type ReactNode } from 'react'

import { SECOND_MS, systemClock } from '@slipway/kit'

import { signalStore } from '../data/store.ts'

const AGAIN_MS = 2 * SECOND_MS

type Later<Props> = {
  /** Shows the part, and `waiting` until it is there. */
  readonly Part: (props: Props & { readonly waiting?: ReactNode }) => ReactNode
  /** Loads the part before somebody wants it. */
  readonly warm: () => void
}

/**
 * A part of the frame that is loaded when it is wanted, so that the first page need not wait for it. Unlike a page it may be
 * wanted while the server is away: then it is tried again for as long as it is wanted, and what is open beside it stays.
 */
export function laterPart<Props extends object>(load: () => Promise<ComponentType<Props>>): Later<Props> {
  const loaded = signalStore<ComponentType<Props> | undefined>(undefined)
  let wantedCount = 0
  let isUnderWay = false
  const again = (): void => {
    isUnderWay = false
    if (wantedCount > 0) warm()
  }
  const warm = (): void => {
    if (isUnderWay || loaded.get() !== undefined) return
    isUnderWay = true
    load().then(
      (part) => loaded.set(part),
      () => systemClock.after(AGAIN_MS, again),
    )
  }
  const want = (): (() => void) => {
    wantedCount += 1
    warm()
    return () => {
      wantedCount -= 1
    }
  }
  return {
    Part({ waiting = null, ...props }) {
      const Loaded = loaded.use()
      useEffect(want, [])
      // What is left of the properties are those of the part.
      return Loaded === undefined ? waiting : <Loaded {...(props as unknown as Props)} />
    },
    warm,
  }
}
