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
    release_batch_empty:
      'Batch {batch} of the plan has nothing to do: it brings no more than batch {before}. Write "{write}".',
    release_batch_backwards:
      'Batch {batch} of the plan asks for less than the batch before it. Let Instances and traffic only grow from batch to batch.',
    release_header_reserved:
      'Headers that begin with slipway- are reserved. Choose another one for the plan.',
    release_stopped:
      'The Workload is scaled to 0 Instances of {process}, so the Release would start nothing. Say how many are to run ("--instances {process}=1"), or scale it first ("slipway workload scale {workload} 1"); "--instances {process}=0" releases while it stays stopped.',
    release_stops:
      'A Release does not take down the {serving} Instances of {process} that serve. Leave the count out, or stop the Workload on purpose: "slipway workload scale {workload} 0 --process {process}".',
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
    release_batch_empty: '发布计划的批次 {batch} 无事可做：它没有比批次 {before} 带来更多。请写成“{write}”。',
    release_batch_backwards: '发布计划的批次 {batch} 少于前一批次。实例数和流量只能逐批增加。',
    release_header_reserved: '以 slipway- 开头的请求头为保留名称，请为计划另选一个。',
    release_stopped:
      '该工作负载的 {process} 实例数为 0，发布不会启动任何实例。请指明实例数（“--instances {process}=1”），或先扩容（“slipway workload scale {workload} 1”）；“--instances {process}=0”表示在停止状态下发布。',
    release_stops:
      '发布不会停掉正在服务的 {serving} 个 {process} 实例。请省略实例数；如确实要停止该工作负载，运行“slipway workload scale {workload} 0 --process {process}”。',
    release_image_unknown: '该应用的仓库中没有镜像 {image}。运行“slipway image list”查看全部镜像。',
    release_router_needed: '该集群没有网关，无法按权重或请求头分流。请改用按实例分批。',
    release_no_web: '该镜像没有 web 进程，无法分流。请改用按实例分批。',
  },
})
