import { lostSince } from '../data/connection.ts'
import { useFormat } from '../preferences/format.ts'
import { useText } from '../preferences/text.ts'
import { Shape } from '../ui/status.tsx'

/** Says calmly that the server is away, since when, and goes by itself. */
export function ConnectionBar() {
  const { text } = useText()
  const format = useFormat()
  const since = lostSince.use()
  return (
    <div role="status" className={since === undefined ? 'connection' : 'connection is-lost'}>
      {since && (
        <>
          <Shape tone="warn" /> {text('connection.lost', { time: format.clockTime(since) })}
        </>
      )}
    </div>
  )
}
