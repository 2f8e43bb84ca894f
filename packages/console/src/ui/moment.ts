/** A moment as a field for date and time writes it, in the browser's own zone; empty without one. Pure but for the zone. */
export function fieldOf(at: string | undefined): string {
  if (at === undefined) return ''
  const date = new Date(at)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`
}

/** The moment that such a field holds, as RFC 3339; undefined where it holds none. */
export function momentOf(field: string): string | undefined {
  const at = new Date(field)
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString()
}
