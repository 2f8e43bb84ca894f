import { catalog } from '../catalog.ts'

/** Errors about Pools of nodes. */
export const poolErrors = catalog({
  en: {
    pool_slug_taken: 'There is a Pool {pool} on this Cluster already.',
    pool_unknown: 'There is no Pool {pool} on this Cluster. See which there are: "slipway pool list".',
    pool_node_unknown: 'The Cluster has no node {node}. See which it has: "slipway cluster nodes <cluster>".',
    pool_node_taken:
      'Node {node} is in Pool {pool}, and a node is in one Pool at most. Take it out first: "slipway pool remove-node {pool} {node}".',
    pool_node_by_labels:
      'Node {node} is in Pool {pool} by its labels. Change its labels, or those that the Pool asks for: "slipway pool update {pool}".',
    pool_nodes_many:
      'A Pool names {max} nodes at most. Choose them by labels: "slipway pool update --labels".',
    pool_deleting: 'Pool {pool} is being deleted.',
    pool_in_use:
      'Workload {workload} is to run in Pool {pool} or does ({count} Workloads in all). Let them run elsewhere and release them first.',
    pool_rented: 'Pool {pool} is rented until {until}. End that first: "slipway pool release-rent {pool}".',
    pool_rented_elsewhere:
      'Pool {pool} is rented to another Project until {until}. Choose another one: "slipway workload pool <workload> <pool>".',
    pool_not_rented: 'Nobody rents Pool {pool}.',
    pool_holds_strangers:
      '{instances} Instances of {workloads} Workloads of other Projects are on the nodes of Pool {pool}. Let them stay until their next start (--strangers stay), or empty the nodes first: "slipway node drain".',
    pool_default_taken: 'Another Pool is the default of this Project on this Cluster already.',
    rent_in_past: 'The moment {until} has passed. Name one that is to come.',
    pool_rights_missing:
      'The account of Slipway may not label the nodes of this Cluster. Give it the rights of this version: "slipway cluster renew-credentials <cluster> --kubeconfig <file>".',
    pool_nodes_missing:
      'The Cluster does not have {count} of the named nodes ({nodes}). They join the Pool when they come, or take them out.',
    pool_nodes_contested:
      '{count} nodes carry the labels of this Pool and belong to another one ({nodes}). Ask for more labels, or take them out there.',
  },
  'zh-CN': {
    pool_slug_taken: '该集群上已存在节点池 {pool}。',
    pool_unknown: '该集群上没有节点池 {pool}。查看已有节点池：“slipway pool list”。',
    pool_node_unknown: '集群没有节点 {node}。查看已有节点：“slipway cluster nodes <集群>”。',
    pool_node_taken:
      '节点 {node} 已在节点池 {pool} 中，一个节点最多属于一个节点池。请先移出：“slipway pool remove-node {pool} {node}”。',
    pool_node_by_labels:
      '节点 {node} 因标签属于节点池 {pool}。请更改其标签，或更改节点池要求的标签：“slipway pool update {pool}”。',
    pool_nodes_many: '节点池最多指定 {max} 个节点。请改用标签选择：“slipway pool update --labels”。',
    pool_deleting: '节点池 {pool} 正在删除。',
    pool_in_use:
      '工作负载 {workload} 指定了节点池 {pool} 或正在其中运行（共 {count} 个工作负载）。请先让它们在别处运行并发布。',
    pool_rented: '节点池 {pool} 已租用至 {until}。请先结束租用：“slipway pool release-rent {pool}”。',
    pool_rented_elsewhere:
      '节点池 {pool} 已租给其他项目，至 {until}。请选择其他节点池：“slipway workload pool <工作负载> <节点池>”。',
    pool_not_rented: '节点池 {pool} 没有被租用。',
    pool_holds_strangers:
      '节点池 {pool} 的节点上有其他项目 {workloads} 个工作负载的 {instances} 个实例。可让它们保留到下次启动（--strangers stay），或先排空节点：“slipway node drain”。',
    pool_default_taken: '该项目在该集群上已有另一个默认节点池。',
    rent_in_past: '时间 {until} 已经过去，请指定将来的时间。',
    pool_rights_missing:
      'Slipway 的账号无权给该集群的节点打标签。请授予当前版本所需的权限：“slipway cluster renew-credentials <集群> --kubeconfig <文件>”。',
    pool_nodes_missing: '集群中没有 {count} 个指定的节点（{nodes}）。它们出现后会加入节点池；也可将其移出。',
    pool_nodes_contested:
      '{count} 个节点带有该节点池的标签，但属于另一个节点池（{nodes}）。请要求更多标签，或从那里移出。',
  },
})
