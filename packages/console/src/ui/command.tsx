import { useText } from '../preferences/text.ts'
import { CopyButton } from './copy.tsx'

/** The line of the `slipway` command that does the same as what stands beside it. */
export function CommandLine({ line }: { readonly line: string }) {
  const { text } = useText()
  const whole = `slipway ${line}`
  return (
    <span
      className="command-line"
      role="group"
      aria-label={text('common.command')}
      title={text('common.command')}
    >
      <span aria-hidden="true">$</span>
      <code>{whole}</code>
      <CopyButton value={whole} />
    </span>
  )
}
