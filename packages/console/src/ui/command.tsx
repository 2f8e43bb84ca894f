import { useText } from '../preferences/text.ts'
import { CopyButton } from './copy.tsx'

/** The line of the `slipway` command that does the same as what stands beside it. */
export function CommandLine({ line }: { readonly line: string }) {
  const { text } = useText()
  return <Line label={text('common.command')} line={`slipway ${line}`} />
}

/** A line for a shell elsewhere. */
export function ShellLine({ line }: { readonly line: string }) {
  const { text } = useText()
  return <Line label={text('common.shellLine')} line={line} />
}

function Line({ label, line }: { readonly label: string; readonly line: string }) {
  return (
    <span className="command-line" role="group" aria-label={label} title={label}>
      <span aria-hidden="true">$</span>
      <code>{line}</code>
      <CopyButton value={line} />
    </span>
  )
}
