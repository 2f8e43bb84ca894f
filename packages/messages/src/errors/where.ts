import { catalog } from '../catalog.ts'

/** Errors of the module fleet and of the client for Clusters. */
export const whereErrors = catalog({
  en: {
    cluster_unreachable:
      'Cluster {cluster} does not answer ({problem}). Check that it runs and can be reached from here. Nothing is decided about what runs there until it does.',
    cluster_refused: 'Cluster {cluster} refused: {problem}',
    cluster_in_use: 'Environments still use this Cluster. Delete them first.',
    cluster_default: 'This is the default Cluster. Make another one the default first.',
    cluster_too_old: 'The Cluster runs Kubernetes {version}; 1.30 or newer is needed.',
  },
  'zh-CN': {
    cluster_unreachable:
      '集群 {cluster} 没有响应（{problem}）。请检查它是否运行、能否从此处访问。在其恢复之前，不会对其上运行的内容做任何决定。',
    cluster_refused: '集群 {cluster} 拒绝了请求：{problem}',
    cluster_in_use: '仍有环境使用该集群，请先删除这些环境。',
    cluster_default: '这是默认集群，请先指定另一个默认集群。',
    cluster_too_old: '该集群的 Kubernetes 版本为 {version}，需要 1.30 或更新版本。',
  },
})
