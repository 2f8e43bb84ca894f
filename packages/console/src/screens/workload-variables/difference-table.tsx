import type { Variable } from './draft.ts'
import { useText } from '../../preferences/text.ts'
import type { Difference } from './draft.ts'

type DifferenceProps = {
  readonly rows: readonly Difference[]
  /** Secrets among them, by name. */
  readonly secrets: ReadonlySet<string>
}

/** What differs, before and after; of secrets only that it does. */
export function DifferenceTable({ rows, secrets }: DifferenceProps) {
  const { text } = useText()
  if (rows.length === 0) return <p>{text('variable.same')}</p>
  const shown = (value: string | null, isThere: boolean, name: string) => {
    if (!isThere) return '–'
    return value === null || secrets.has(name) ? <em>{text('variable.hidden')}</em> : <code>{value}</code>
  }
  return (
    <div className="differences">
      <table className="variables">
        <thead>
          <tr>
            <th scope="col">{text('variable.name')}</th>
            <th scope="col">{text('release.diff.before')}</th>
            <th scope="col">{text('release.diff.after')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, change, before, after }) => (
            <tr key={name} className={`is-${change}`}>
              <th scope="row">
                <code>{name}</code> <small>{text(`variable.${change}`)}</small>
              </th>
              <td>{shown(before, change !== 'added', name)}</td>
              <td>{shown(after, change !== 'removed', name)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Names of the secrets among variables. */
export function secretsOf(...lists: readonly (readonly Variable[])[]): ReadonlySet<string> {
  return new Set(lists.flatMap((list) => list.filter(({ secret }) => secret).map(({ name }) => name)))
}
