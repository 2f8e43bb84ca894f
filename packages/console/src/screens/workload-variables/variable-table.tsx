import { Button, Checkbox, Input } from 'antd'

import { useText } from '../../preferences/text.ts'
import { PasswordInput } from '../../ui/password.tsx'
import { Empty } from '../../ui/page.tsx'
import {
  problemsOf,
  withoutChange,
  withRemoved,
  withValue,
  type Added,
  type Draft,
  type Problem,
  type Variable,
} from './draft.ts'

type TableProps = {
  readonly base: readonly Variable[]
  readonly draft: Draft
  readonly change: (draft: Draft) => void
  /** Of the Workload. */
  readonly name: string
}

/** The variables as fields; what differs from the newest revision is marked. */
export function VariableTable({ base, draft, change, name }: TableProps) {
  const { text } = useText()
  const problems = problemsOf(base, draft)
  if (base.length === 0 && draft.added.length === 0)
    return <Empty command={`workload set ${name} NAME=value`}>{text('variable.empty')}</Empty>
  return (
    <div className="variables-scroll">
      <table className="variables">
        <thead>
          <tr>
            <th scope="col">{text('variable.name')}</th>
            <th scope="col">{text('variable.value')}</th>
            <th scope="col">{text('variable.secret')}</th>
            <th scope="col">
              <span className="visually-hidden">{text('variable.actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {base.map((variable) => (
            <KnownRow
              key={variable.name}
              variable={variable}
              draft={draft}
              problem={problems.get(variable.name)}
              change={change}
            />
          ))}
          {draft.added.map((added) => (
            <AddedRow
              key={added.key}
              added={added}
              draft={draft}
              problem={problems.get(added.key)}
              change={change}
            />
          ))}
        </tbody>
      </table>
    </div>
  )
}

type KnownProps = {
  readonly variable: Variable
  readonly draft: Draft
  readonly problem: Problem | undefined
  readonly change: (draft: Draft) => void
}

function KnownRow({ variable, draft, problem, change }: KnownProps) {
  const { text } = useText()
  const { name, secret } = variable
  const edit = Object.hasOwn(draft.changed, name) ? draft.changed[name] : undefined
  const value = edit === 'removed' || edit === undefined ? (variable.value ?? '') : edit.value
  const isSecret = edit === 'removed' || edit === undefined ? secret : edit.secret
  const set = (next: { value: string; secret: boolean }): void => change(withValue(draft, variable, next))
  const isHidden = secret && edit === undefined
  return (
    <tr className={edit === undefined ? undefined : `is-${edit === 'removed' ? 'removed' : 'changed'}`}>
      <th scope="row">
        <code>{name}</code>
      </th>
      <td>
        {isHidden || edit === 'removed' ? (
          <span className="variable-hidden">
            {secret ? text('variable.hidden') : <code>{value}</code>}
            {isHidden && (
              <Button type="link" size="small" onClick={() => set({ value: '', secret: true })}>
                {text('variable.replace')}
              </Button>
            )}
          </span>
        ) : (
          <ValueField
            label={name}
            value={value}
            isSecret={isSecret}
            set={(next) => set({ value: next, secret: isSecret })}
          />
        )}
        <ProblemText problem={problem} />
      </td>
      <td>
        <Checkbox
          aria-label={`${text('variable.secret')} ${name}`}
          checked={isSecret}
          disabled={isHidden || edit === 'removed'}
          onChange={({ target }) => set({ value, secret: target.checked })}
        />
      </td>
      <td>
        {edit === undefined ? (
          <Button
            type="text"
            size="small"
            aria-label={text('variable.remove', { name })}
            onClick={() => change(withRemoved(draft, name))}
          >
            {text('variable.removeShort')}
          </Button>
        ) : (
          <Button
            type="text"
            size="small"
            aria-label={text('variable.undo', { name })}
            onClick={() => change(withoutChange(draft, name))}
          >
            {text('variable.undoShort')}
          </Button>
        )}
      </td>
    </tr>
  )
}

type AddedProps = {
  readonly added: Added
  readonly draft: Draft
  readonly problem: Problem | undefined
  readonly change: (draft: Draft) => void
}

function AddedRow({ added, draft, problem, change }: AddedProps) {
  const { text } = useText()
  const set = (next: Partial<Added>): void =>
    change({ ...draft, added: draft.added.map((one) => (one.key === added.key ? { ...one, ...next } : one)) })
  return (
    <tr className="is-added">
      <th scope="row">
        <Input
          autoFocus={added.name === ''}
          className="mono"
          spellCheck={false}
          aria-label={text('variable.name')}
          placeholder={text('variable.name')}
          value={added.name}
          maxLength={128}
          {...(problem === undefined || added.name === '' ? {} : { status: 'error' as const })}
          onChange={({ target }) => set({ name: target.value })}
        />
      </th>
      <td>
        <ValueField
          label={added.name === '' ? text('variable.value') : added.name}
          value={added.value}
          isSecret={added.secret}
          set={(value) => set({ value })}
        />
        {added.name !== '' && <ProblemText problem={problem} />}
      </td>
      <td>
        <Checkbox
          aria-label={`${text('variable.secret')} ${added.name}`}
          checked={added.secret}
          onChange={({ target }) => set({ secret: target.checked })}
        />
      </td>
      <td>
        <Button
          type="text"
          size="small"
          aria-label={text('variable.remove', { name: added.name })}
          onClick={() => change({ ...draft, added: draft.added.filter(({ key }) => key !== added.key) })}
        >
          {text('variable.removeShort')}
        </Button>
      </td>
    </tr>
  )
}

const ROWS_MAX = 8

type FieldProps = {
  readonly label: string
  readonly value: string
  readonly isSecret: boolean
  readonly set: (value: string) => void
}

function ValueField({ label, value, isSecret, set }: FieldProps) {
  const { text } = useText()
  const said = `${text('variable.value')} ${label}`
  if (isSecret)
    return (
      <PasswordInput
        aria-label={said}
        autoComplete="off"
        value={value}
        onChange={({ target }) => set(target.value)}
      />
    )
  return (
    <Input.TextArea
      className="mono"
      // Growing by itself would write a style attribute, which the page's policy stops.
      rows={Math.min(ROWS_MAX, value.split('\n').length)}
      spellCheck={false}
      aria-label={said}
      value={value}
      onChange={({ target }) => set(target.value)}
    />
  )
}

function ProblemText({ problem }: { readonly problem: Problem | undefined }) {
  const { text } = useText()
  return problem === undefined ? null : (
    <p className="variable-problem" role="alert">
      {text(`variable.${problem}`)}
    </p>
  )
}
