import { Button, Modal } from 'antd'
import type { ReactNode } from 'react'

import { useText } from '../preferences/text.ts'
import { CommandLine } from './command.tsx'
import { Refusal } from './refusal.tsx'

type DialogProps = {
  readonly title: string
  readonly children?: ReactNode
  readonly confirm: string
  readonly isDanger?: boolean
  readonly isPending: boolean
  readonly error: unknown
  /** The line of the `slipway` command that does the same. */
  readonly command?: string
  readonly close: () => void
  readonly act: () => void
  readonly widthPx?: number
  /** Whether everything that it needs is there. */
  readonly isReady?: boolean
}

/** Asks before something is done, says what it will do and what it will not, and shows why it was refused. */
export function Dialog(props: DialogProps) {
  const { text } = useText()
  return (
    <Modal
      open
      title={props.title}
      onCancel={props.close}
      width={props.widthPx ?? 480}
      footer={
        <>
          <Button onClick={props.close}>{text('common.cancel')}</Button>
          <Button
            type="primary"
            danger={props.isDanger ?? false}
            loading={props.isPending}
            disabled={props.isReady === false}
            onClick={props.act}
            data-autofocus
          >
            {props.confirm}
          </Button>
        </>
      }
    >
      <div className="dialog">
        {props.children}
        <Refusal error={props.error} />
        {props.command !== undefined && <CommandLine line={props.command} />}
      </div>
    </Modal>
  )
}
