/** How much of a whole, in percent without a fraction; 0 of nothing. More than the whole stays visible. Pure. */
export function percentOf(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 100)
}
