import { useText } from '../preferences/text.ts'

type WaitingProps = {
  readonly typed: string
  readonly type: (typed: string) => void
  readonly close: () => void
}

/** Stands in for the palette until it is there, so that nothing is lost of what is typed at once. */
export function PaletteWaiting({ typed, type, close }: WaitingProps) {
  const { text } = useText()
  return (
    <div className="palette-waiting" role="dialog" aria-label={text('palette.label')}>
      <input
        autoFocus
        aria-label={text('palette.label')}
        placeholder={text('palette.placeholder')}
        value={typed}
        onChange={({ target }) => type(target.value)}
        onKeyDown={({ key }) => key === 'Escape' && close()}
      />
    </div>
  )
}
