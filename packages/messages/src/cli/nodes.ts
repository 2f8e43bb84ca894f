import { catalog } from '../catalog.ts'

/** Commands about nodes and places. */
export const cliNodes = catalog({
  en: {
    'argument.node': 'name of a node',
    node: 'Nodes: who runs where, and takes how much',
    'node.show': 'Show a node: what it has, and which Projects take how much of it',
    'node.tenants': 'List everything on a node with owner and use, the greatest first',
    'node.other': 'without Slipway',
    'node.hidden': 'somebody else ({number})',
    'node.build': 'a build of {project}',
    'node.line': 'Node {name}, used / asked for / there: CPU {cpu}, memory {memory}',
    'node.none': 'No node has taken this Instance.',
    'instance.neighbours': 'List what shares the node of an Instance, with owner and use, the greatest first',
    'column.shares': 'SHARES',
    'column.owner': 'OWNER',
    'column.instance': 'INSTANCE',
  },
  'zh-CN': {
    'argument.node': '节点名称',
    node: '节点：谁在哪里运行，占用多少',
    'node.show': '显示节点：拥有多少资源，各项目占用多少',
    'node.tenants': '列出节点上的全部内容及其归属和用量，最大的在前',
    'node.other': '不由 Slipway 管理',
    'node.hidden': '其他租户（{number}）',
    'node.build': '{project} 的构建',
    'node.line': '节点 {name}，已用 / 已申请 / 总量：CPU {cpu}，内存 {memory}',
    'node.none': '还没有节点承载该实例。',
    'instance.neighbours': '列出与实例同一节点的邻居及其归属和用量，最大的在前',
    'column.shares': '占比',
    'column.owner': '归属',
    'column.instance': '实例',
  },
})
