import type { Organization } from '@slipway/contract'

export type Branch = { readonly organization: Organization; readonly depth: number; readonly path: string }

/**
 * Organizations in the order of their tree, each below its parent, siblings by name. One whose parent the caller may not see
 * stands at the top. Pure.
 */
export function branchesOf(
  organizations: readonly Organization[],
  compare: (a: string, b: string) => number,
): readonly Branch[] {
  const known = new Set(organizations.map(({ id }) => id))
  const below = new Map<string | null, Organization[]>()
  for (const one of organizations) {
    const parent = one.parentId !== null && known.has(one.parentId) ? one.parentId : null
    below.set(parent, [...(below.get(parent) ?? []), one])
  }
  const branches: Branch[] = []
  const visit = (parent: string | null, depth: number, above: string): void => {
    const children = (below.get(parent) ?? []).toSorted(
      (a, b) => compare(a.name, b.name) || (a.id < b.id ? -1 : 1),
    )
    for (const organization of children) {
      const path = above === '' ? organization.name : `${above} / ${organization.name}`
      branches.push({ organization, depth, path })
      visit(organization.id, depth + 1, path)
    }
  }
  visit(null, 0, '')
  return branches
}
