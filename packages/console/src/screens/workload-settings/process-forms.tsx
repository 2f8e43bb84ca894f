import { Input } from 'antd'
import { useState } from 'react'

import type { Process } from '@slipway/contract'
import type { ConsoleKey } from '@slipway/messages'

import { useText } from '../../preferences/text.ts'
import { CopyButton } from '../../ui/copy.tsx'
import {
  COMMON_FIELDS,
  fieldsOf,
  invalidFields,
  manifestText,
  WEB_FIELDS,
  type FieldName,
  type ProcessFields,
} from './manifest.ts'

const labels: Readonly<Record<FieldName, ConsoleKey>> = {
  port: 'setting.port',
  probePath: 'setting.probePath',
  startSeconds: 'setting.startSeconds',
  timeoutSeconds: 'setting.timeoutSeconds',
  cpu: 'setting.cpu',
  memory: 'setting.memory',
  memoryLimit: 'setting.memoryLimit',
  graceSeconds: 'setting.grace',
}
const helps: Readonly<Partial<Record<FieldName, ConsoleKey>>> = {
  probePath: 'setting.probePathHelp',
  memoryLimit: 'setting.memoryLimitHelp',
}

/** Each process as a form, and the manifest that the next build would take. */
export function ProcessForms({ processes }: { readonly processes: Readonly<Record<string, Process>> }) {
  const { text } = useText()
  const first = Object.fromEntries(
    Object.entries(processes).map(([name, process]) => [name, fieldsOf(process)]),
  )
  const [fields, setFields] = useState<Readonly<Record<string, ProcessFields>>>(first)
  const isChanged = JSON.stringify(fields) !== JSON.stringify(first)
  const isInvalid = Object.entries(processes).some(
    ([name, process]) => invalidFields(process.kind, fields[name] ?? fieldsOf(process)).size > 0,
  )
  const manifest = manifestText(processes, fields)
  return (
    <>
      <div className="processes">
        {Object.entries(processes).map(([name, process]) => (
          <ProcessForm
            key={name}
            name={name}
            process={process}
            fields={fields[name] ?? fieldsOf(process)}
            set={(next) => setFields({ ...fields, [name]: next })}
          />
        ))}
      </div>
      <section className="manifest" aria-label={text('setting.yaml')}>
        <p>
          <strong>{text('setting.yaml')}</strong>{' '}
          {isChanged ? (
            !isInvalid && <CopyButton value={manifest} />
          ) : (
            <span className="soft">{text('setting.yamlSame')}</span>
          )}
        </p>
        <pre tabIndex={0} aria-label={text('setting.yaml')}>
          {isInvalid ? '–' : manifest}
        </pre>
      </section>
    </>
  )
}

type FormProps = {
  readonly name: string
  readonly process: Process
  readonly fields: ProcessFields
  readonly set: (fields: ProcessFields) => void
}

function ProcessForm({ name, process, fields, set }: FormProps) {
  const { text } = useText()
  const invalid = invalidFields(process.kind, fields)
  const names = process.kind === 'web' ? [...WEB_FIELDS, ...COMMON_FIELDS] : COMMON_FIELDS
  return (
    <fieldset className="process">
      <legend>
        <code>{name}</code> <span className="soft">{text(`setting.kind.${process.kind}`)}</span>
      </legend>
      {process.command && (
        <p>
          <span className="soft">{text('setting.command')}</span> <code>{process.command.join(' ')}</code>
        </p>
      )}
      <div className="process-fields">
        {names.map((field) => {
          const id = `setting-${name}-${field}`
          const help = helps[field]
          return (
            <div key={field}>
              <label htmlFor={id}>{text(labels[field])}</label>
              <Input
                id={id}
                className="mono"
                spellCheck={false}
                maxLength={256}
                value={fields[field]}
                aria-invalid={invalid.has(field)}
                {...(invalid.has(field) ? { status: 'error' as const } : {})}
                onChange={({ target }) => set({ ...fields, [field]: target.value })}
              />
              {invalid.has(field) ? (
                <small className="is-bad">{text(problemOf(field))}</small>
              ) : (
                help && <small>{text(help)}</small>
              )}
            </div>
          )
        })}
      </div>
    </fieldset>
  )
}

function problemOf(field: FieldName): ConsoleKey {
  if (field === 'cpu' || field === 'memory' || field === 'memoryLimit') return 'setting.quantityInvalid'
  return field === 'probePath' ? 'setting.pathInvalid' : 'setting.numberInvalid'
}
