import { useText } from '../preferences/text.ts'
import { percentOf } from './percent.ts'

type ShareProps = {
  /** What the bar says of what, for those who do not see it. */
  readonly label: string
  readonly part: number
  readonly whole: number
  readonly shown: (value: number) => string
}

const NEARLY_FULL_PERCENT = 80

/** How much of a whole is taken: a bar, and the numbers beside it. */
export function Share({ label, part, whole, shown }: ShareProps) {
  const { text } = useText()
  const percent = percentOf(part, whole)
  return (
    <span className="share">
      <meter aria-label={label} min={0} max={100} high={NEARLY_FULL_PERCENT} value={percent} />
      <span className="number">
        {text('cluster.share', { used: shown(part), total: shown(whole), percent })}
      </span>
    </span>
  )
}
