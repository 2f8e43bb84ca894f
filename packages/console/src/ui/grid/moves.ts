/** Where a key leads in a list: an index, its end (which may have to be loaded), or nowhere. Pure. */
export function moveOf(
  key: string,
  from: number,
  list: { readonly last: number; readonly pageRows: number },
): number | 'end' | undefined {
  const within = (index: number): number => Math.max(0, Math.min(list.last, index))
  switch (key) {
    case 'ArrowDown':
      return within(from + 1)
    case 'ArrowUp':
      return within(from - 1)
    case 'PageDown':
      return within(from + list.pageRows)
    case 'PageUp':
      return within(from - list.pageRows)
    case 'Home':
      return 0
    case 'End':
      return 'end'
    default:
      return undefined
  }
}
