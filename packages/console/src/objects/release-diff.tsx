import type { ReleaseDiff } from '@slipway/contract'

import { useText } from '../preferences/text.ts'
import { shortDigest } from '../ui/copy.tsx'

type Line = { readonly what: string; readonly before: string | null; readonly after: string | null }

/** What differs between two Releases: Image, variables, processes. Secret values only ever show as changed. */
export function ReleaseDiffTable({ diff }: { readonly diff: ReleaseDiff }) {
  const { text } = useText()
  const hidden = text('release.diff.secret')
  const lines: readonly Line[] = [
    ...(diff.image === null
      ? []
      : [
          {
            what: text('release.diff.image'),
            before: diff.image.before === null ? null : shortDigest(diff.image.before),
            after: shortDigest(diff.image.after),
          },
        ]),
    ...diff.variables.map(({ name, change, before, after }) => ({
      what: name,
      before: change === 'added' ? null : (before ?? hidden),
      after: change === 'removed' ? null : (after ?? hidden),
    })),
    ...diff.template.map(({ path, before, after }) => ({ what: path, before, after })),
  ]
  if (lines.length === 0) return <p className="soft">{text('release.diffNone')}</p>
  return (
    <div className="scroll-x">
      <table className="plain-table diff">
        <thead>
          <tr>
            <th scope="col">{text('release.what')}</th>
            <th scope="col">{text('release.diff.before')}</th>
            <th scope="col">{text('release.diff.after')}</th>
          </tr>
        </thead>
        <tbody>
          {lines.map(({ what, before, after }) => (
            <tr key={what}>
              <td>
                <code>{what}</code>
              </td>
              <td>{before !== null && <del>{before}</del>}</td>
              <td>{after !== null && <ins>{after}</ins>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
