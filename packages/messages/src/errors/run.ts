import { catalog } from '../catalog.ts'

/** Errors of the modules instance and event. */
export const runErrors = catalog({
  en: {
    instance_not_started:
      'Instance {instance} does not run yet, or no longer. "slipway instance show" says why.',
    instance_never_restarted: 'Instance {instance} has not restarted, so there is no log from before.',
    instance_container_unknown: 'There is no container {container} in this Instance. It has: {known}.',
    instance_command_refused: 'The command could not be run: {problem}',
    instance_cluster_silent:
      'The Cluster of this Workload does not answer ({problem}). Try again in a moment.',
    instance_cluster_refused: 'The Cluster of this Workload refused: {problem}',
    log_position_invalid: 'The position to continue the log from cannot be read. Begin again without it.',
    event_reader_slow:
      'This reader of changes was too slow and was cut off. Connect again with the id of the last event.',
  },
  'zh-CN': {
    instance_not_started: '实例 {instance} 尚未运行或已停止。运行“slipway instance show”查看原因。',
    instance_never_restarted: '实例 {instance} 没有重启过，因此没有之前的日志。',
    instance_container_unknown: '该实例中没有容器 {container}。已有：{known}。',
    instance_command_refused: '命令无法运行：{problem}',
    instance_cluster_silent: '该工作负载所在的集群没有响应（{problem}）。请稍后再试。',
    instance_cluster_refused: '该工作负载所在的集群拒绝了请求：{problem}',
    log_position_invalid: '无法识别日志的续读位置，请从头开始。',
    event_reader_slow: '读取变更过慢，连接已断开。请带上最后一个事件的 id 重新连接。',
  },
})
