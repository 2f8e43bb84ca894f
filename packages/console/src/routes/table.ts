import type { ConsoleKey } from '@slipway/messages'

/**
 * One place of the console. `screen` names the folder in `screens/` whose `page.tsx` shows it; `menu` puts it into the
 * navigation and the palette.
 */
export type RouteEntry = {
  readonly path: `/${string}`
  readonly screen: string
  readonly title: ConsoleKey
  readonly menu?: 'work' | 'platform'
  /** The second key after `g`. */
  readonly key?: string
  /** Shown without the frame and without a session. */
  readonly isPublic?: boolean
}

/** Every place of the console; the table that navigation, palette, breadcrumbs and the path builder are made from. */
export const routes = {
  home: { path: '/', screen: 'home', title: 'home.title', menu: 'work', key: 'h' },
  signIn: { path: '/sign-in', screen: 'sign-in', title: 'signIn.title', isPublic: true },
  firstRun: { path: '/first-run', screen: 'first-run', title: 'firstRun.title', isPublic: true },
  approvals: {
    path: '/approvals',
    screen: 'approvals',
    title: 'approvals.title',
    menu: 'work',
    key: 'i',
  },
  device: { path: '/device', screen: 'device', title: 'device.title' },
  projects: { path: '/projects', screen: 'projects', title: 'project.list', menu: 'work', key: 'p' },
  project: { path: '/projects/$project', screen: 'project', title: 'application.project' },
  applicationByName: {
    path: '/projects/$project/applications/$application',
    screen: 'by-name',
    title: 'application.overview',
  },
  workloadByName: {
    path: '/workloads/$project/$application/$environment',
    screen: 'by-name',
    title: 'workload.overview',
  },
  applications: {
    path: '/applications',
    screen: 'applications',
    title: 'application.list',
    menu: 'work',
    key: 'a',
  },
  newApplication: { path: '/new-application', screen: 'new-application', title: 'application.new' },
  application: { path: '/applications/$application', screen: 'application', title: 'application.overview' },
  startBuild: { path: '/applications/$application/new-build', screen: 'start-build', title: 'build.start' },
  build: { path: '/builds/$build', screen: 'build', title: 'build.list' },
  workloads: { path: '/workloads', screen: 'workloads', title: 'workload.list', menu: 'work', key: 'w' },
  workload: { path: '/workloads/$workload', screen: 'workload', title: 'workload.overview' },
  workloadReleases: {
    path: '/workloads/$workload/releases',
    screen: 'workload-releases',
    title: 'workload.releases',
  },
  workloadInstances: {
    path: '/workloads/$workload/instances',
    screen: 'workload-instances',
    title: 'workload.instances',
  },
  workloadLogs: { path: '/workloads/$workload/logs', screen: 'workload-logs', title: 'log.title' },
  workloadTerminal: {
    path: '/workloads/$workload/terminal',
    screen: 'workload-terminal',
    title: 'terminal.title',
  },
  workloadVariables: {
    path: '/workloads/$workload/variables',
    screen: 'workload-variables',
    title: 'variable.title',
  },
  workloadSettings: {
    path: '/workloads/$workload/settings',
    screen: 'workload-settings',
    title: 'setting.title',
  },
  workloadYaml: { path: '/workloads/$workload/yaml', screen: 'workload-yaml', title: 'yaml.title' },
  instance: { path: '/instances/$instance', screen: 'instance', title: 'instance.name' },
  startRelease: { path: '/workloads/$workload/new-release', screen: 'start-release', title: 'release.start' },
  release: { path: '/releases/$release', screen: 'release', title: 'release.number' },
  clusters: { path: '/clusters', screen: 'clusters', title: 'cluster.list', menu: 'platform', key: 'c' },
  newCluster: { path: '/new-cluster', screen: 'new-cluster', title: 'cluster.new' },
  cluster: { path: '/clusters/$cluster', screen: 'cluster', title: 'cluster.overview' },
  clusterInstances: {
    path: '/clusters/$cluster/instances',
    screen: 'cluster-instances',
    title: 'cluster.instances',
  },
  node: { path: '/clusters/$cluster/nodes/$node', screen: 'node', title: 'cluster.node' },
  pool: { path: '/pools/$pool', screen: 'pool', title: 'pool.overview' },
  locations: { path: '/locations', screen: 'locations', title: 'location.list', menu: 'platform', key: 'n' },
  location: { path: '/locations/$location', screen: 'location', title: 'location.overview' },
  organizations: {
    path: '/organizations',
    screen: 'organizations',
    title: 'organization.list',
    menu: 'platform',
    key: 'o',
  },
  organization: {
    path: '/organizations/$organization',
    screen: 'organization',
    title: 'organization.overview',
  },
  organizationAudit: {
    path: '/organizations/$organization/audit',
    screen: 'organization-audit',
    title: 'organization.audit',
  },
  users: { path: '/users', screen: 'users', title: 'user.list', menu: 'platform', key: 'u' },
  tokens: { path: '/tokens', screen: 'tokens', title: 'token.list', menu: 'platform', key: 't' },
  audit: { path: '/audit', screen: 'audit', title: 'audit.list', menu: 'platform', key: 'l' },
} as const satisfies Readonly<Record<string, RouteEntry>>

export type RouteName = keyof typeof routes

/** The same table without the exact types of its rows. */
export const routeEntries: readonly (readonly [RouteName, RouteEntry])[] = Object.entries(routes) as [
  RouteName,
  RouteEntry,
][]
