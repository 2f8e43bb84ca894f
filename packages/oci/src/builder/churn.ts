/*
 * Which layer a file goes into. Layers are ordered by how rarely they change, so that a change of one class or page sends
 * only the small layer it lies in, and nodes keep the rest.
 */
export const churnGroups = ['dependencies', 'snapshots', 'resources', 'application', 'configuration'] as const

export type ChurnGroup = (typeof churnGroups)[number]

/** What the package is made of; decides where dependencies lie. */
export type PackageLayout = 'node' | 'python' | 'php' | 'java' | 'static' | 'other'

const DEPENDENCIES: Readonly<Record<PackageLayout, RegExp | undefined>> = {
  node: /(?:^|\/)node_modules\//,
  python: /(?:^|\/)(?:site-packages|dist-packages|__pypackages__)\/|^(?:\.venv|venv)\//,
  php: /(?:^|\/)vendor\//,
  java: /(?:^|\/)(?:WEB-INF\/lib|BOOT-INF\/lib|lib|libs|dependencies)\/[^/]+\.jar$|^org\/springframework\/boot\/loader\//,
  static: undefined,
  other: /(?:^|\/)(?:node_modules|site-packages|vendor)\//,
}
const SNAPSHOT = /-SNAPSHOT[^/]*\.jar$/
const JAVA_CODE = /\.class$|(?:^|\/)(?:WEB-INF|BOOT-INF)\/classes\//

/** Pure: the same path always goes to the same layer. */
export function churnGroupOf(path: string, layout: PackageLayout): ChurnGroup {
  if (DEPENDENCIES[layout]?.test(path) === true)
    return layout === 'java' && SNAPSHOT.test(path) ? 'snapshots' : 'dependencies'
  return layout === 'java' && !JAVA_CODE.test(path) ? 'resources' : 'application'
}
