import { catalog, fill, type Language } from './catalog.ts'
import { excludedWords, troubleWords } from './excluded.ts'

type Params = Readonly<Record<string, string | number | boolean>>

/** What happens to a Release: its states, the evidence of gates, commands of people, and why it goes back. */
const texts = catalog({
  en: {
    Queued: 'queued',
    Placing: 'new instances come up',
    Warming: 'the new version is tried through the route',
    Gating: 'the new version gets its share of the traffic',
    WaitPerson: 'waits for a person',
    Soak: 'serves for a while before it counts as passed',
    Held: 'held; resume, promote, roll back or abort it',
    Finishing: 'all batches have passed',
    RollingBack: 'traffic returns to the old version',
    Done: 'the new version serves everything',
    RolledBack: 'the old version serves everything again',
    Aborted: 'aborted; the old version serves everything',
    Failed: 'the way back could not finish',
    created: 'created, image {image}, configuration revision {configRevision}',
    starts_nothing: 'no Instance runs: the Workload stays scaled to 0 until somebody scales it',
    batch_empty:
      'with {instances} Instances batch {before} is already what batch {empty} asks for, so batch {empty} has nothing to do',
    scaled: 'scaled to {instances}; the new version ends with as many',
    approved: 'approved {comment}',
    rejected: 'rejected {comment}',
    paused: 'paused',
    resumed: 'resumed',
    promoted: 'the remaining batches were skipped',
    aborted: 'aborted by a person',
    rolled_back: 'rolled back by a person',
    traffic: '{weight} % of the traffic reaches the new version',
    capacity_passed: 'the Cluster has room for {needs} beside what runs',
    capacity_lowered:
      'the Cluster has room for {needs} only where the old version makes way batch by batch; so the way back will not be one of seconds',
    capacity_unknown:
      'the account on the Cluster may not see its nodes and pods, so whether there is room was not judged',
    capacity_short:
      'waits for room: {room} of {wanted} Instances of {process} fit beside what runs: {lacks} ({needs} are needed). It begins when there is room: add nodes, stop what is not needed, or ask for less in slipway.yaml or in its placement; "--capacity ignore" begins all the same',
    capacity_short_whole:
      'waits for room: with the old version kept whole {room} of {wanted} Instances of {process} fit: {lacks} ({needs} are needed). It begins when there is room; "--capacity lower" lets the old version make way batch by batch, which fits now',
    gate_capacity:
      'after {seconds} s there was still room for only {room} of {wanted} Instances of {process}: {lacks}',
    probe_passed: '{requests} requests to {path} in a row succeeded, the last with {answer}',
    probe_failing: 'requests to {path} fail: {answer}',
    gate_deadline: 'after {seconds} s {ready} of {wanted} instances were ready and tried {trouble}',
    gate_crashing: 'an instance crashed {restarts} times {trouble}',
    gate_unready: 'for too long only {ready} of {wanted} instances were ready {trouble}',
    return_deadline: '{ready} of {wanted} instances of the old version are ready {trouble}',
    return_waits:
      'only {oldReady} of {oldWanted} instances of the old version are ready, so the new one goes on serving; promote to keep the new version, resume to try again {oldTrouble}',
    entrance_lost:
      'the address that the Workload has of its own does not answer: {problem}. Another program holds the port: end it ("ss -ltnp" names it), then the address is served again within seconds; the named address goes on',
    refused_quota:
      'the quota of its namespace on the Cluster is used up ({problem}). Ask for a larger one, or scale something down; it goes on by itself',
    refused_ending:
      'its namespace on the Cluster is being deleted ({problem}). Wait until it is gone, or ask who runs the Cluster what keeps it; it goes on by itself',
    refused_pod_security:
      'Pod Security of the Cluster refuses its Instances ({problem}). Ask who runs the Cluster; it goes on by itself',
    refused_webhook:
      'an admission webhook or policy of the Cluster refuses it ({problem}). Ask who runs the Cluster; it goes on by itself',
    refused_otherwise: 'the Cluster refuses it ({problem}). Ask who runs the Cluster; it goes on by itself',
    drift: 'somebody else changed {object}; it was set back',
  },
  'zh-CN': {
    Queued: '排队中',
    Placing: '正在启动新实例',
    Warming: '正在通过路由试探新版本',
    Gating: '新版本承接其流量份额',
    WaitPerson: '等待人工审批',
    Soak: '观察一段时间后才算通过',
    Held: '已挂起；可继续、直接全量、回滚或中止',
    Finishing: '所有批次均已通过',
    RollingBack: '流量正在回到旧版本',
    Done: '新版本承接全部流量',
    RolledBack: '旧版本重新承接全部流量',
    Aborted: '已中止；旧版本承接全部流量',
    Failed: '回退未能完成',
    created: '已创建，镜像 {image}，配置版本 {configRevision}',
    starts_nothing: '没有实例运行：在有人扩容之前该工作负载保持为 0 个实例',
    batch_empty: '共 {instances} 个实例时批次 {before} 已达到批次 {empty} 的要求，批次 {empty} 无事可做',
    scaled: '已调整为 {instances}；新版本最终也是这个数量',
    approved: '已批准 {comment}',
    rejected: '已拒绝 {comment}',
    paused: '已暂停',
    resumed: '已继续',
    promoted: '已跳过剩余批次',
    aborted: '由人工中止',
    rolled_back: '由人工回滚',
    traffic: '{weight} % 的流量到达新版本',
    capacity_passed: '集群在现有实例之外可容纳 {needs}',
    capacity_lowered: '只有旧版本逐批让位时集群才可容纳 {needs}；因此回退无法在数秒内完成',
    capacity_unknown: '该集群上的账户无权查看节点和容器组，因此未判断容量',
    capacity_short:
      '等待容量：在现有实例之外，{process} 的 {wanted} 个实例只能容纳 {room} 个：{lacks}（需要 {needs}）。有空间后自动开始：请增加节点、停止不需要的实例，或在 slipway.yaml 或放置规则中降低需求；“--capacity ignore”可直接开始',
    capacity_short_whole:
      '等待容量：完整保留旧版本时，{process} 的 {wanted} 个实例只能容纳 {room} 个：{lacks}（需要 {needs}）。有空间后自动开始；“--capacity lower”让旧版本逐批让位，目前可容纳',
    gate_capacity: '{seconds} 秒后 {process} 的 {wanted} 个实例仍只能容纳 {room} 个：{lacks}',
    probe_passed: '对 {path} 连续 {requests} 次请求成功，最后一次为 {answer}',
    probe_failing: '对 {path} 的请求失败：{answer}',
    gate_deadline: '{seconds} 秒后 {wanted} 个实例中只有 {ready} 个就绪并通过试探 {trouble}',
    gate_crashing: '某个实例崩溃了 {restarts} 次 {trouble}',
    gate_unready: '{wanted} 个实例中长时间只有 {ready} 个就绪 {trouble}',
    return_deadline: '旧版本的 {wanted} 个实例中有 {ready} 个就绪 {trouble}',
    return_waits:
      '旧版本的 {oldWanted} 个实例中只有 {oldReady} 个就绪，新版本继续服务；可直接全量以保留新版本，或继续以重试回退 {oldTrouble}',
    entrance_lost:
      '该工作负载自有的地址无法访问：{problem}。端口被其他程序占用：请结束该程序（“ss -ltnp”可查），数秒内即恢复；按名称的地址不受影响',
    refused_quota: '该命名空间在集群上的配额已用尽（{problem}）。请申请更大的配额或缩容；之后会自动继续',
    refused_ending:
      '该命名空间在集群上正在被删除（{problem}）。请等待删除完成，或询问集群管理员；之后会自动继续',
    refused_pod_security: '集群的 Pod Security 拒绝了其实例（{problem}）。请联系集群管理员；之后会自动继续',
    refused_webhook: '集群的准入 webhook 或策略拒绝了请求（{problem}）。请联系集群管理员；之后会自动继续',
    refused_otherwise: '集群拒绝了请求（{problem}）。请联系集群管理员；之后会自动继续',
    drift: '有人更改了 {object}；已改回',
  },
})

/**
 * One sentence about a Release's state, reason or event; a state with a reason says both. An unknown code gives the code
 * itself, so that nothing is ever blank.
 */
export function releaseText(language: Language, code: string, params: Params): string {
  const known: Readonly<Record<string, string>> = texts[language]
  const text = known[code]
  const own = text === undefined ? code : fill(text, said(language, params)).trimEnd()
  const { reason, ...rest } = params
  if (typeof reason !== 'string' || reason === code) return own
  return `${own}${language === 'en' ? ': ' : '：'}${releaseText(language, reason, rest)}`
}

/** What nodes lack is told in words: as the platform measured it, and as the Cluster's scheduler says it. */
function said(language: Language, params: Params): Params {
  const { excluded, nodes, trouble, oldTrouble } = params
  return {
    ...params,
    ...(typeof excluded === 'string' &&
      typeof nodes === 'number' && { lacks: excludedWords(language, excluded, nodes) }),
    ...(typeof trouble === 'string' && { trouble: troubleWords(language, trouble) }),
    ...(typeof oldTrouble === 'string' && { oldTrouble: troubleWords(language, oldTrouble) }),
  }
}
