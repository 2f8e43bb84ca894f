import type { CommandUnknownOpts } from '@commander-js/extra-typings'

import type { Deps } from '../deps.ts'

/** Loads a command's module; only the chosen one's is ever called. */
export type Loader = () => Promise<(deps: Deps) => CommandUnknownOpts>

/**
 * Every command: a noun with its verbs, or a word of its own. The order is the order of help.
 * A summary stands in the catalogue under `<noun>` and `<noun>.<verb>`.
 */
export const commands: Readonly<Record<string, Loader | Readonly<Record<string, Loader>>>> = {
  login: async () => (await import('./login.ts')).login,
  logout: async () => (await import('./logout.ts')).logout,
  whoami: async () => (await import('./whoami.ts')).whoami,
  organization: {
    list: async () => (await import('./organization/list.ts')).organizationList,
    get: async () => (await import('./organization/get.ts')).organizationGet,
    create: async () => (await import('./organization/create.ts')).organizationCreate,
    update: async () => (await import('./organization/update.ts')).organizationUpdate,
    delete: async () => (await import('./organization/delete.ts')).organizationDelete,
  },
  project: {
    list: async () => (await import('./project/list.ts')).projectList,
    get: async () => (await import('./project/get.ts')).projectGet,
    create: async () => (await import('./project/create.ts')).projectCreate,
    update: async () => (await import('./project/update.ts')).projectUpdate,
    delete: async () => (await import('./project/delete.ts')).projectDelete,
  },
  environment: {
    list: async () => (await import('./environment/list.ts')).environmentList,
    get: async () => (await import('./environment/get.ts')).environmentGet,
    create: async () => (await import('./environment/create.ts')).environmentCreate,
    update: async () => (await import('./environment/update.ts')).environmentUpdate,
    delete: async () => (await import('./environment/delete.ts')).environmentDelete,
  },
  application: {
    list: async () => (await import('./application/list.ts')).applicationList,
    show: async () => (await import('./application/show.ts')).applicationShow,
    create: async () => (await import('./application/create.ts')).applicationCreate,
    delete: async () => (await import('./application/delete.ts')).applicationDelete,
  },
  workload: {
    list: async () => (await import('./workload/list.ts')).workloadList,
    show: async () => (await import('./workload/show.ts')).workloadShow,
    status: async () => (await import('./workload/status.ts')).workloadStatus,
    create: async () => (await import('./workload/create.ts')).workloadCreate,
    scale: async () => (await import('./workload/scale.ts')).workloadScale,
    restart: async () => (await import('./workload/restart.ts')).workloadRestart,
    set: async () => (await import('./workload/set.ts')).workloadSet,
    variables: async () => (await import('./workload/variables.ts')).workloadVariables,
    history: async () => (await import('./workload/history.ts')).workloadHistory,
    keep: async () => (await import('./workload/keep.ts')).workloadKeep,
    delete: async () => (await import('./workload/delete.ts')).workloadDelete,
  },
  release: {
    start: async () => (await import('./release/start.ts')).releaseStart,
    list: async () => (await import('./release/list.ts')).releaseList,
    show: async () => (await import('./release/show.ts')).releaseShow,
    follow: async () => (await import('./release/follow.ts')).releaseFollow,
    pause: async () => (await import('./release/pause.ts')).releasePause,
    resume: async () => (await import('./release/resume.ts')).releaseResume,
    abort: async () => (await import('./release/abort.ts')).releaseAbort,
    promote: async () => (await import('./release/promote.ts')).releasePromote,
    rollback: async () => (await import('./release/rollback.ts')).releaseRollback,
    diff: async () => (await import('./release/diff.ts')).releaseDiff,
    redeploy: async () => (await import('./release/redeploy.ts')).releaseRedeploy,
    pin: async () => (await import('./release/pin.ts')).releasePin,
  },
  gate: {
    list: async () => (await import('./gate/list.ts')).gateList,
    approve: async () => (await import('./gate/approve.ts')).gateApprove,
    reject: async () => (await import('./gate/reject.ts')).gateReject,
  },
  instance: {
    list: async () => (await import('./instance/list.ts')).instanceList,
    show: async () => (await import('./instance/show.ts')).instanceShow,
    events: async () => (await import('./instance/events.ts')).instanceEvents,
    exec: async () => (await import('./instance/exec.ts')).instanceExec,
    neighbours: async () => (await import('./instance/neighbours.ts')).instanceNeighbours,
    restart: async () => (await import('./instance/restart.ts')).instanceRestart,
  },
  logs: async () => (await import('./logs.ts')).logs,
  export: async () => (await import('./export.ts')).exportWorkload,
  source: {
    set: async () => (await import('./source/set.ts')).sourceSet,
    show: async () => (await import('./source/show.ts')).sourceShow,
    delete: async () => (await import('./source/delete.ts')).sourceDelete,
    branches: async () => (await import('./source/branches.ts')).sourceBranches,
    commits: async () => (await import('./source/commits.ts')).sourceCommits,
  },
  build: {
    start: async () => (await import('./build/start.ts')).buildStart,
    list: async () => (await import('./build/list.ts')).buildList,
    show: async () => (await import('./build/show.ts')).buildShow,
    logs: async () => (await import('./build/logs.ts')).buildLogs,
    cancel: async () => (await import('./build/cancel.ts')).buildCancel,
    cache: async () => (await import('./build/cache.ts')).buildCache,
    'clear-cache': async () => (await import('./build/clear-cache.ts')).buildClearCache,
  },
  image: {
    list: async () => (await import('./image/list.ts')).imageList,
    show: async () => (await import('./image/show.ts')).imageShow,
    delete: async () => (await import('./image/delete.ts')).imageDelete,
    bases: async () => (await import('./image/bases.ts')).imageBases,
    import: async () => (await import('./image/import.ts')).imageImport,
  },
  cluster: {
    list: async () => (await import('./cluster/list.ts')).clusterList,
    show: async () => (await import('./cluster/show.ts')).clusterShow,
    register: async () => (await import('./cluster/register.ts')).clusterRegister,
    default: async () => (await import('./cluster/default.ts')).clusterDefault,
    nodes: async () => (await import('./cluster/nodes.ts')).clusterNodes,
    manifest: async () => (await import('./cluster/manifest.ts')).clusterManifest,
    'register-agent': async () => (await import('./cluster/register-agent.ts')).clusterRegisterAgent,
    'renew-agent': async () => (await import('./cluster/renew-agent.ts')).clusterRenewAgent,
    'revoke-agent': async () => (await import('./cluster/revoke-agent.ts')).clusterRevokeAgent,
    'rotate-credentials': async () =>
      (await import('./cluster/rotate-credentials.ts')).clusterRotateCredentials,
    'renew-credentials': async () => (await import('./cluster/renew-credentials.ts')).clusterRenewCredentials,
    remove: async () => (await import('./cluster/remove.ts')).clusterRemove,
  },
  node: {
    show: async () => (await import('./node/show.ts')).nodeShow,
    tenants: async () => (await import('./node/tenants.ts')).nodeTenants,
    cordon: async () => (await import('./node/cordon.ts')).nodeCordon,
    uncordon: async () => (await import('./node/uncordon.ts')).nodeUncordon,
    drain: async () => (await import('./node/drain.ts')).nodeDrain,
    evacuations: async () => (await import('./node/evacuations.ts')).nodeEvacuations,
    evacuation: async () => (await import('./node/evacuation.ts')).nodeEvacuation,
    'cancel-drain': async () => (await import('./node/cancel-drain.ts')).nodeCancelDrain,
  },
  user: {
    list: async () => (await import('./user/list.ts')).userList,
    create: async () => (await import('./user/create.ts')).userCreate,
    update: async () => (await import('./user/update.ts')).userUpdate,
    password: async () => (await import('./user/password.ts')).userPassword,
  },
  member: {
    list: async () => (await import('./member/list.ts')).memberList,
    set: async () => (await import('./member/set.ts')).memberSet,
    remove: async () => (await import('./member/remove.ts')).memberRemove,
    permissions: async () => (await import('./member/permissions.ts')).memberPermissions,
  },
  token: {
    list: async () => (await import('./token/list.ts')).tokenList,
    create: async () => (await import('./token/create.ts')).tokenCreate,
    delete: async () => (await import('./token/delete.ts')).tokenDelete,
  },
  audit: {
    list: async () => (await import('./audit/list.ts')).auditList,
    verify: async () => (await import('./audit/verify.ts')).auditVerify,
  },
  context: {
    list: async () => (await import('./context/list.ts')).contextList,
    use: async () => (await import('./context/use.ts')).contextUse,
    set: async () => (await import('./context/set.ts')).contextSet,
    delete: async () => (await import('./context/delete.ts')).contextDelete,
  },
  api: async () => (await import('./api.ts')).api,
  open: async () => (await import('./open.ts')).open,
  doctor: async () => (await import('./doctor.ts')).doctor,
  completion: async () => (await import('./completion.ts')).completion,
}
