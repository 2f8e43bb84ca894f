import { catalog, fill, type Language } from './catalog.ts'
import { troubleWords } from './excluded.ts'

/** States of Instances and why they are so. */
const texts = catalog({
  en: {
    Pending: 'pending',
    Starting: 'starting',
    Running: 'running, not ready',
    Ready: 'ready',
    Failing: 'failing',
    Ending: 'ending',
    Ended: 'ended',
    instance_unschedulable: 'no node takes it: {problem}',
    instance_node_lost: 'node {node} no longer reports',
    instance_evicted: 'its node evicted it: {problem}',
    instance_image: 'the image cannot be pulled: {problem}',
    instance_cannot_start: 'it cannot be started: {problem}',
    instance_out_of_memory: 'it took more memory than its limit and was ended',
    instance_killed: 'it was ended by {signal}',
    instance_exited: 'it ended with exit code {exitCode}',
    instance_not_ready: 'its readiness probe does not pass',
    instance_no_answer:
      'it runs, and nothing answers at port {port} yet; it must listen there (the variable PORT says where), on all addresses',
  },
  'zh-CN': {
    Pending: '等待调度',
    Starting: '启动中',
    Running: '运行中，未就绪',
    Ready: '就绪',
    Failing: '故障',
    Ending: '终止中',
    Ended: '已结束',
    instance_unschedulable: '没有节点可以承载：{problem}',
    instance_node_lost: '节点 {node} 已失联',
    instance_evicted: '被节点驱逐：{problem}',
    instance_image: '无法拉取镜像：{problem}',
    instance_cannot_start: '无法启动：{problem}',
    instance_out_of_memory: '内存使用超过上限，已被终止',
    instance_killed: '被 {signal} 终止',
    instance_exited: '以退出码 {exitCode} 结束',
    instance_not_ready: '就绪探针未通过',
    instance_no_answer:
      '正在运行，但端口 {port} 尚无应答；它必须在所有地址上监听该端口（变量 PORT 给出端口号）',
  },
})

/** A word or sentence about an Instance's state or its reason; an unknown code gives the code itself. */
export function instanceText(
  language: Language,
  code: string,
  params: Readonly<Record<string, string | number | boolean>>,
): string {
  const known: Readonly<Record<string, string>> = texts[language]
  const text = Object.hasOwn(known, code) ? known[code] : undefined
  if (text === undefined) return code
  const { problem } = params
  // What a scheduler says is told as a measure of room tells it.
  const said = typeof problem === 'string' ? { ...params, problem: troubleWords(language, problem) } : params
  return fill(text, said)
}
