import type { Release } from '@slipway/contract'
import { releaseText } from '@slipway/messages'

import { toneOfRelease } from '../../objects/release.tsx'
import { useText } from '../../preferences/text.ts'
import { Shape } from '../../ui/status.tsx'

/** Why a Release is where it is, when it is not simply on its way. */
export function Reason({ release }: { readonly release: Release }) {
  const { text, language } = useText()
  const { state, reason } = release
  if (reason === null && state !== 'WaitPerson' && state !== 'Held') return null
  const tone = toneOfRelease(state)
  return (
    <div className={`notice tone-border-${tone}`} role="status">
      <span className={`tone-${tone}`}>
        <Shape tone={tone} sizePx={14} />
      </span>
      <p>
        {state === 'WaitPerson'
          ? text('release.waitsText', { number: release.batch + 1 })
          : releaseText(language, state, reason === null ? {} : { ...reason.params, reason: reason.code })}
      </p>
    </div>
  )
}
