/* Why nodes do not take an Instance: as the platform measured it, and as a Cluster's scheduler said it, in the same words. */
import { catalog, fill, type Language } from './catalog.ts'

const texts = catalog({
  en: {
    unready: '{count} of {nodes} nodes not ready',
    cordoned: '{count} of {nodes} nodes closed to new Instances',
    taint: '{count} of {nodes} nodes kept for others (taint {what})',
    tainted: '{count} of {nodes} nodes not ready or kept for others',
    label: '{count} of {nodes} nodes without {what}',
    labels: '{count} of {nodes} nodes without the labels asked for',
    rule: '{count} of {nodes} nodes where "{what}" does not hold',
    cpu: '{count} of {nodes} nodes with too little CPU free',
    memory: '{count} of {nodes} nodes with too little memory free',
    instances: '{count} of {nodes} nodes that take no more Instances',
    resource: '{count} of {nodes} nodes with too little {what} free',
    spread: '{count} of {nodes} nodes where the spread would be uneven',
    repelled: '{count} of {nodes} nodes beside Instances that want to be apart from these',
    apart: '{count} of {nodes} nodes beside {what}, from which these are to be apart',
    together: '{count} of {nodes} nodes not beside {what}, with which these are to be together',
    others: 'the others',
    other: '{count} of {nodes} nodes: {what}',
    none: 'the Cluster has no nodes',
  },
  'zh-CN': {
    unready: '{nodes} 个节点中有 {count} 个未就绪',
    cordoned: '{nodes} 个节点中有 {count} 个不再接收新实例',
    taint: '{nodes} 个节点中有 {count} 个留给其他用途（污点 {what}）',
    tainted: '{nodes} 个节点中有 {count} 个未就绪或留给其他用途',
    label: '{nodes} 个节点中有 {count} 个没有 {what}',
    labels: '{nodes} 个节点中有 {count} 个没有所要求的标签',
    rule: '{nodes} 个节点中有 {count} 个不满足“{what}”',
    cpu: '{nodes} 个节点中有 {count} 个剩余 CPU 不足',
    memory: '{nodes} 个节点中有 {count} 个剩余内存不足',
    instances: '{nodes} 个节点中有 {count} 个无法再接收实例',
    resource: '{nodes} 个节点中有 {count} 个剩余 {what} 不足',
    spread: '{nodes} 个节点中有 {count} 个会使分布不均',
    repelled: '{nodes} 个节点中有 {count} 个上的实例要求与这些实例分开',
    apart: '{nodes} 个节点中有 {count} 个上有 {what}，这些实例须与之分开',
    together: '{nodes} 个节点中有 {count} 个上没有 {what}，这些实例须与之在一起',
    others: '其他实例',
    other: '{nodes} 个节点中有 {count} 个：{what}',
    none: '集群没有节点',
  },
})

type Why = keyof (typeof texts)['en']
type Excluded = { readonly why: Why; readonly what: string; readonly count: string }

/**
 * The reasons of a measure of room, such as `label disk=ssd × 3; cpu × 2`, as a sentence; what is none is given as it is.
 * @param nodes - how many the Cluster has
 */
export function excludedWords(language: Language, excluded: string, nodes: number): string {
  if (excluded === '') return texts[language].none
  const parts = excluded.split('; ').map((part) => {
    const [, why = '', what = '', count = '0'] = /^([a-z]+)(?: (.*))? × (\d+)$/u.exec(part) ?? []
    return isWhy(why) ? { why, what, count } : undefined
  })
  const known = parts.filter((part) => part !== undefined)
  return known.length === parts.length ? sentenceOf(language, known, nodes) : excluded
}

/** `Unschedulable: 0/5 nodes are available: …`: a scheduler's words become ours, everything else stays as it is. */
export function troubleWords(language: Language, trouble: string): string {
  const match = /^(?:Unschedulable: )?0\/(\d+) nodes are available: (.*)$/su.exec(trouble)
  const [, nodes = '0', reasons = ''] = match ?? []
  if (!match) return trouble
  // What follows tells of pods that could be ended instead, which is nothing that people asked for.
  const said = reasons.split(/\. |\.$/u)[0] ?? ''
  const parts = said.split(/, (?=\d+ )/u).map((part) => {
    const [, count = '0', reason = part] = /^(\d+) (.*)$/su.exec(part) ?? []
    return { count, ...reasonOf(reason) }
  })
  return sentenceOf(language, parts, Number(nodes))
}

/** In the words of the scheduler; the first that fits. */
const schedulerWords: readonly (readonly [why: Why, words: RegExp])[] = [
  ['unready', /untolerated taint\(?s?\)? \{node\.kubernetes\.io\/(?:not-ready|unreachable)/u],
  ['cordoned', /were unschedulable|\{node\.kubernetes\.io\/unschedulable/u],
  ['taint', /untolerated taint\(?s?\)? \{(.*?)\}$/u],
  // Newer schedulers do not say which.
  ['tainted', /untolerated taint\(?s?\)?$/u],
  ['labels', /didn't match Pod's node (?:affinity|selector)/u],
  ['spread', /didn't match pod topology spread constraints/u],
  ['repelled', /didn't satisfy existing pods anti-affinity rules/u],
  ['apart', /didn't match pod anti-affinity rules/u],
  ['together', /didn't match pod affinity rules/u],
  ['instances', /^Too many pods$/u],
  ['cpu', /^Insufficient cpu$/u],
  ['memory', /^Insufficient memory$/u],
  ['resource', /^Insufficient (.+)$/u],
]

function reasonOf(reason: string): { readonly why: Why; readonly what: string } {
  for (const [why, words] of schedulerWords) {
    const found = words.exec(reason)
    if (found) return { why, what: (found[1] ?? '').replace(/: ?$/u, '').replace(': ', '=') }
  }
  return { why: 'other', what: reason }
}

function sentenceOf(language: Language, parts: readonly Excluded[], nodes: number): string {
  const own = texts[language]
  return parts
    .map(({ why, what, count }) => {
      const named = what === '' && (why === 'apart' || why === 'together') ? own.others : what
      return fill(own[why], { count, nodes, what: named })
    })
    .join(language === 'en' ? ', ' : '，')
}

function isWhy(word: string): word is Why {
  return Object.hasOwn(texts.en, word)
}
