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
