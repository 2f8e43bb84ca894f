import { Button, Select, Switch } from 'antd'
import { useEffect, useRef, useState } from 'react'

import type { Instance, Workload } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'
import { ApiError } from '@slipway/sdk'

import { useAllRows } from '../../data/queries.ts'
import { WorkloadPage } from '../../objects/workload-page.tsx'
import { Act } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { useRouteParams, useRouteSearch } from '../../routes/use.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty } from '../../ui/page.tsx'
import { Refusal } from '../../ui/refusal.tsx'
import { Status, type Tone } from '../../ui/status.tsx'
import { useTerminalFrame, type TerminalState } from './use-terminal-frame.ts'
import './terminal.css'

const EVERY_MS = 5 * SECOND_MS

/** A shell in one of a Workload's Instances. */
export default function WorkloadTerminalPage() {
  const { workload: id } = useRouteParams<'workloadTerminal'>()
  const [search] = useRouteSearch()
  const instance = search['instance']?.startsWith(`${id}.`) === true ? search['instance'] : undefined
  return (
    <WorkloadPage id={id} command={(name) => `instance exec -it ${instance ?? `${name}/<instance>`} -- sh`}>
      {(workload) => <Choice workload={workload} wanted={instance} />}
    </WorkloadPage>
  )
}

function Choice({ workload, wanted }: { readonly workload: Workload; readonly wanted: string | undefined }) {
  const { text } = useText()
  const instances = useAllRows('listInstances', { workload: workload.id, limit: 200 }, { everyMs: EVERY_MS })
  return (
    <Loaded of={{ ...instances, data: instances.rows }}>
      {(items) => {
        const running = items.filter(({ state }) => state === 'Ready' || state === 'Running')
        const chosen = items.find(({ id }) => id === wanted) ?? running[0]
        return chosen ? (
          <TerminalPanel running={running} chosen={chosen} />
        ) : (
          <section className="panel">
            <Empty command={`workload scale ${workload.name} 1`}>{text('terminal.none')}</Empty>
          </section>
        )
      }}
    </Loaded>
  )
}

type PanelProps = { readonly running: readonly Instance[]; readonly chosen: Instance }

function TerminalPanel({ running, chosen }: PanelProps) {
  const { text, language } = useText()
  const [search, change] = useRouteSearch()
  const [isForReaders, setForReaders] = useState(false)
  const container = chosen.containers.find((name) => name === search['container'])
  const leave = useRef<HTMLButtonElement>(null)
  const terminal = useTerminalFrame({
    look: { language, label: `${text('terminal.title')} ${chosen.name}`, isForReaders },
    leave: () => leave.current?.focus(),
  })
  const { state } = terminal
  const isOpen = state.kind === 'open' || state.kind === 'opening' || state.kind === 'lost'
  const open = (): void => terminal.open({ instance: chosen.id, container })
  // A link from the list of Instances opens at once; coming back to the page later does not.
  const opensAtOnce = search['open'] === 'true' && terminal.isReady
  useEffect(() => {
    if (!opensAtOnce) return
    change({ open: undefined })
    open()
  }, [opensAtOnce])
  const choices = running.some(({ id }) => id === chosen.id) ? running : [chosen, ...running]
  return (
    <section className="panel terminal" aria-label={text('terminal.title')}>
      <div className="terminal-bar">
        <Select<string>
          aria-label={text('terminal.choose')}
          value={chosen.id}
          disabled={isOpen}
          popupMatchSelectWidth={false}
          showSearch
          optionFilterProp="label"
          onChange={(instance) => change({ instance, container: undefined })}
          options={choices.map(({ id, name }) => ({ value: id, label: name }))}
        />
        {chosen.containers.length > 1 && (
          <Select<string>
            aria-label={text('terminal.container')}
            value={container ?? chosen.process}
            disabled={isOpen}
            popupMatchSelectWidth={false}
            onChange={(name) => change({ container: name })}
            options={chosen.containers.map((value) => ({ value, label: value }))}
          />
        )}
        <span role="status">
          <TerminalStatus state={state} />
        </span>
        <span className="switch-inline">
          <Switch
            size="small"
            aria-label={text('terminal.reader')}
            checked={isForReaders}
            onChange={setForReaders}
          />
          <span aria-hidden="true">{text('terminal.reader')}</span>
        </span>
        <div className="page-actions">
          {isOpen ? (
            <Button ref={leave} onClick={terminal.close}>
              {text('terminal.close')}
            </Button>
          ) : (
            <Act
              does="openTerminal"
              where={{ workload: chosen.workloadId }}
              ref={leave}
              type="primary"
              disabled={!terminal.isReady}
              onClick={open}
            >
              {text(state.kind === 'idle' ? 'terminal.open' : 'terminal.again')}
            </Act>
          )}
        </div>
      </div>
      {state.kind === 'refused' && <Refusal error={errorOf(state)} />}
      <iframe
        ref={terminal.frame}
        title={text('terminal.title')}
        src="/console/terminal"
        className="terminal-frame"
      />
      <p className="terminal-foot">
        {text('terminal.help')} {text('terminal.keys')}
      </p>
      {terminal.pasted !== undefined && (
        <Paste text={terminal.pasted} close={() => terminal.paste(false)} act={() => terminal.paste(true)} />
      )}
    </section>
  )
}

const tones: Readonly<Record<TerminalState['kind'], Tone>> = {
  idle: 'idle',
  opening: 'busy',
  open: 'good',
  lost: 'warn',
  ended: 'idle',
  closed: 'idle',
  refused: 'bad',
}

function TerminalStatus({ state }: { readonly state: TerminalState }) {
  const { text } = useText()
  const params = state.kind === 'ended' ? { exitCode: state.exitCode } : {}
  return <Status tone={tones[state.kind]}>{text(`terminal.state.${state.kind}`, params)}</Status>
}

function errorOf({ refused }: Extract<TerminalState, { kind: 'refused' }>): ApiError {
  const { code, ...details } = refused
  return new ApiError(code, details)
}

const SHOWN_LENGTH = 5_000

type PasteProps = { readonly text: string; readonly close: () => void; readonly act: () => void }

function Paste({ text: pasted, close, act }: PasteProps) {
  const { text } = useText()
  const count = pasted.trimEnd().split(/\r\n|\r|\n/u).length
  return (
    <Dialog
      title={text('terminal.pasteTitle', { count })}
      confirm={text('terminal.paste')}
      isPending={false}
      error={null}
      close={close}
      act={act}
      widthPx={640}
    >
      <p>{text('terminal.pasteText')}</p>
      <pre className="terminal-paste" tabIndex={0}>
        {pasted.slice(0, SHOWN_LENGTH)}
        {pasted.length > SHOWN_LENGTH && '…'}
      </pre>
    </Dialog>
  )
}
