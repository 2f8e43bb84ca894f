import { catalog } from '../catalog.ts'

/** Errors about nodes and what leaves them. */
export const nodeErrors = catalog({
  en: {
    node_draining: 'Node {node} is being drained already. See how far it is: "slipway node evacuations".',
    node_rights_missing:
      'The account of Slipway may not change node {node}. Give it the rights of this version: "slipway cluster renew-credentials <cluster> --kubeconfig <file>".',
    evacuation_over: 'This drain of node {node} has ended ({state}). Start a new one.',
    evacuation_not_drain:
      'Node {node} was lost, not drained; nothing is done there that could be cancelled. What it ran begins elsewhere.',
    evacuation_not_whole:
      '{ready} of {wanted} Instances are ready; one more leaves when all are. Look at why they are not, or scale up.',
    evacuation_budget:
      'A disruption budget of the Cluster forbids it now ({problem}). It is asked again; scale up, or change the PodDisruptionBudget.',
  },
  'zh-CN': {
    node_draining: '节点 {node} 正在排空中。查看进度：“slipway node evacuations”。',
    node_rights_missing:
      'Slipway 的账号无权更改节点 {node}。请授予当前版本所需的权限：“slipway cluster renew-credentials <集群> --kubeconfig <文件>”。',
    evacuation_over: '节点 {node} 的这次排空已经结束（{state}）。请重新发起。',
    evacuation_not_drain: '节点 {node} 是失联而不是排空，没有可以取消的操作。其上的实例会在别处启动。',
    evacuation_not_whole:
      '{wanted} 个实例中有 {ready} 个就绪；全部就绪后才会再移走一个。请检查未就绪的原因，或扩容。',
    evacuation_budget:
      '集群的中断预算目前不允许（{problem}）。稍后会再次尝试；请扩容或修改 PodDisruptionBudget。',
  },
})
