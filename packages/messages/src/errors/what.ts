import { catalog } from '../catalog.ts'

/** Errors of the modules app, source, build and image. */
export const whatErrors = catalog({
  en: {
    application_not_empty: 'The Application still runs in an Environment. Delete its Workloads first.',
    workload_exists: 'The Application already runs in this Environment.',
    workload_deleting: 'The Workload is being deleted.',
    environment_elsewhere: 'The Environment belongs to another Project than the Application.',
    process_unknown: 'There is no process {process} in what runs here. It has: {known}.',
    variables_too_many: 'A Workload has at most {max} variables.',
    variable_unknown: 'There is no variable {name} to remove.',
    variables_unchanged: 'Nothing changes: the current revision has these values already.',
    image_in_use:
      'The Image runs, or may be returned to, in {workloads}. Release something else there first.',
  },
  'zh-CN': {
    application_not_empty: '该应用仍在某个环境中运行，请先删除其工作负载。',
    workload_exists: '该应用已在此环境中运行。',
    workload_deleting: '该工作负载正在删除。',
    environment_elsewhere: '该环境与应用不属于同一个项目。',
    process_unknown: '当前运行的版本没有进程 {process}。已有：{known}。',
    variables_too_many: '一个工作负载最多有 {max} 个变量。',
    variable_unknown: '没有可删除的变量 {name}。',
    variables_unchanged: '没有变化：当前修订版已是这些值。',
    image_in_use: '该镜像正在 {workloads} 中运行或可被回滚到。请先在那里发布其他镜像。',
  },
})
