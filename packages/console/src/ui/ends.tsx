import { DAY_MS } from '@slipway/kit'

import { useFormat } from '../preferences/format.ts'
import { useText } from '../preferences/text.ts'
import { Status } from './status.tsx'
import { toneOfEnd } from './end.ts'
import { useNow } from './time.tsx'

type EndsProps = {
  readonly at: string
  /** From how many days before its end on it is worth a look. */
  readonly soonDays: number
}

/** When something ends: the day, how long until then, and whether that is soon or has passed. */
export function Ends({ at, soonDays }: EndsProps) {
  const { text } = useText()
  const format = useFormat()
  const now = useNow()
  const tone = toneOfEnd(at, now, soonDays * DAY_MS)
  return (
    <Status tone={tone}>
      <time dateTime={at} title={format.absolute(at)}>
        {text(tone === 'bad' ? 'common.ended' : 'common.ends', {
          date: format.day(at),
          time: format.relative(at, now),
        })}
      </time>
    </Status>
  )
}
