/*
 * Where the rows of a list lie whose heights differ, in logarithmic time: a Fenwick tree over their heights. Rows are added at
 * the end, measured at any place, and taken away at the beginning (rarely, which makes the tree anew).
 */
export type Heights = {
  readonly count: () => number
  /** Of all rows, in pixels. */
  readonly total: () => number
  /** Distance of a row's upper edge from the top. */
  readonly topOf: (index: number) => number
  readonly heightOf: (index: number) => number
  /** The row at a distance from the top; the last one beyond the end, 0 when there is none. */
  readonly indexAt: (topPx: number) => number
  readonly append: (heightPx: number) => void
  readonly set: (index: number, heightPx: number) => void
  readonly dropFirst: (count: number) => void
}

const FIRST_CAPACITY = 1_024

export function heightsOf(): Heights {
  let heights = new Float64Array(FIRST_CAPACITY)
  let tree = new Float64Array(FIRST_CAPACITY + 1)
  let count = 0

  /** Height of the first `index` rows. */
  function sum(index: number): number {
    let total = 0
    for (let at = index; at > 0; at -= at & -at) total += tree[at] ?? 0
    return total
  }
  function append(heightPx: number): void {
    if (count === heights.length) grow()
    heights[count] = heightPx
    count += 1
    const lowest = count & -count
    let value = heightPx
    for (let at = count - 1; at > count - lowest; at -= at & -at) value += tree[at] ?? 0
    tree[count] = value
  }
  function grow(): void {
    const larger = new Float64Array(heights.length * 2)
    larger.set(heights)
    heights = larger
    const largerTree = new Float64Array(heights.length + 1)
    largerTree.set(tree)
    tree = largerTree
  }
  return {
    count: () => count,
    total: () => sum(count),
    topOf: (index) => sum(Math.min(index, count)),
    heightOf: (index) => heights[index] ?? 0,
    indexAt(topPx) {
      let at = 0
      let left = topPx
      for (let step = 2 ** Math.floor(Math.log2(Math.max(1, count))); step >= 1; step /= 2) {
        const next = at + step
        const height = tree[next] ?? 0
        if (next <= count && height <= left) {
          at = next
          left -= height
        }
      }
      return Math.max(0, Math.min(at, count - 1))
    },
    append,
    set(index, heightPx) {
      const change = heightPx - (heights[index] ?? 0)
      if (change === 0 || index >= count) return
      heights[index] = heightPx
      for (let at = index + 1; at <= count; at += at & -at) tree[at] = (tree[at] ?? 0) + change
    },
    dropFirst(dropped) {
      const rest = heights.slice(Math.min(dropped, count), count)
      count = 0
      for (const height of rest) append(height)
    },
  }
}
