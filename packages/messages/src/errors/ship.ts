import { catalog } from '../catalog.ts'

/** Errors of the module release. */
export const shipErrors = catalog({
  en: {
    release_in_progress: 'Release {number} of this Workload is under way. Wait for it, or abort it first.',
    release_ended: 'Release {number} has ended ({state}); nothing is left to do to it.',
    release_not_waiting: 'Release {number} does not wait for an approval of batch {batch}.',
    release_going_back: 'Release {number} is on its way back to the old version; wait until it has ended.',
    release_not_kept:
      'Release {number} is no longer kept, so it cannot be returned to. Kept are the last 10, those that run, and pinned ones.',
    release_nothing_before: 'There is no earlier version to return to.',
    release_not_served: 'Release {number} never served, so it cannot be returned to.',
    release_plan_invalid: 'The plan cannot work: {problem}',
    release_image_unknown:
      'There is no image {image} in the repository of this Application. "slipway image list" shows all.',
    release_router_needed:
      'The Cluster has no Gateway, so traffic cannot be split by weight or header. Use batches of Instances instead.',
    release_no_web:
      'The Image has no web process, so traffic cannot be split. Use batches of Instances instead.',
  },
  'zh-CN': {
    release_in_progress: '该工作负载的发布 {number} 正在进行。请等待其结束，或先中止它。',
    release_ended: '发布 {number} 已结束（{state}），无法再操作。',
    release_not_waiting: '发布 {number} 没有在等待批次 {batch} 的审批。',
    release_going_back: '发布 {number} 正在回到旧版本，请等待其结束。',
    release_not_kept:
      '发布 {number} 已不再保留，无法回滚到它。保留的是最近 10 个、正在运行的和已固定的发布。',
    release_nothing_before: '没有可回滚的早期版本。',
    release_not_served: '发布 {number} 从未提供过服务，无法回滚到它。',
    release_plan_invalid: '发布计划不可行：{problem}',
    release_image_unknown: '该应用的仓库中没有镜像 {image}。运行“slipway image list”查看全部镜像。',
    release_router_needed: '该集群没有网关，无法按权重或请求头分流。请改用按实例分批。',
    release_no_web: '该镜像没有 web 进程，无法分流。请改用按实例分批。',
  },
})
