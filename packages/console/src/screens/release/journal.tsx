import type { ReleaseEvent } from '@slipway/contract'
import { releaseText } from '@slipway/messages'

import { useFormat } from '../../preferences/format.ts'
import { useText } from '../../preferences/text.ts'

/** Everything that happened, newest first, in words. */
export function Journal({ events }: { readonly events: readonly ReleaseEvent[] }) {
  const { text, language } = useText()
  const format = useFormat()
  return (
    <div className="scroll-x">
      <table className="plain-table">
        <thead>
          <tr>
            <th scope="col">{text('release.when')}</th>
            <th scope="col">{text('release.batchTitle')}</th>
            <th scope="col">{text('release.what')}</th>
            <th scope="col">{text('release.who')}</th>
          </tr>
        </thead>
        <tbody>
          {[...events].reverse().map(({ sequence, at, batch, code, params, actor }) => (
            <tr key={sequence}>
              <td className="number">
                <time dateTime={at} title={format.absolute(at)}>
                  {format.clockTime(at)}
                </time>
              </td>
              <td className="number">{text('release.batch', { number: batch + 1 })}</td>
              <td>{releaseText(language, code, params)}</td>
              <td>{actor === 'system' ? '' : actor}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
