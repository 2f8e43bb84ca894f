/** The sum of a number over rows. Pure. */
export function sumOf<Row>(rows: readonly Row[], value: (row: Row) => number): number {
  let sum = 0
  for (const row of rows) sum += value(row)
  return sum
}

/** How much of a whole, in percent without a fraction; 0 of nothing. More than the whole stays visible. Pure. */
export function shareOf(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 100)
}
