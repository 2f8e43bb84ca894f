import { z } from 'zod'

import { ProcessName, Slug } from './common.ts'

/** The name of a label on a node, as Kubernetes has it: `disk`, `topology.kubernetes.io/zone`. */
const LabelName = z
  .string()
  .regex(
    /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/u,
    'the name of a node label is expected, such as disk or topology.kubernetes.io/zone',
  )
const LabelValue = z
  .string()
  .regex(
    /^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/u,
    'the value of a label is expected: letters, digits, hyphens, dots and underscores, at most 63',
  )
/** How much a wish counts; what has none is a condition. */
const Weight = z.number().int().min(1).max(100).optional().meta({
  description: 'From 1 to 100: a preference that counts so much. Without it the condition must hold',
})
/** One machine, or what shares a failure: the label `topology.kubernetes.io/zone`. */
const Domain = z.enum(['host', 'zone'])

export const NODE_CONDITIONS_MAX = 16
export const NODE_VALUES_MAX = 32
export const NEIGHBOURS_MAX = 8

/** What a node must or should be like. */
export const NodeCondition = z
  .strictObject({
    label: LabelName,
    operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']).default('In'),
    values: z.array(LabelValue).max(NODE_VALUES_MAX).default([]),
    weight: Weight,
  })
  .superRefine(({ operator, values }, context) => {
    const problem = problemOfValues(operator, values)
    if (problem !== undefined) context.addIssue({ code: 'custom', path: ['values'], message: problem })
  })
export type NodeCondition = z.infer<typeof NodeCondition>

function problemOfValues(operator: string, values: readonly string[]): string | undefined {
  if (operator === 'Exists' || operator === 'DoesNotExist')
    return values.length === 0 ? undefined : `${operator} asks for the label only: leave the values out`
  if (operator === 'In' || operator === 'NotIn')
    return values.length > 0 ? undefined : `${operator} needs at least one value`
  const isNumber = values.length === 1 && /^[0-9]{1,15}$/u.test(values[0] ?? '')
  return isNumber ? undefined : `${operator} compares with one whole number, such as ["8"]`
}

/** Instances of one version of a process over machines or zones. */
export const Spread = z.strictObject({
  over: Domain,
  /** An Instance that would make it more uneven waits for a place; otherwise the scheduler does what it can. */
  required: z.boolean().default(false),
  /** By how many Instances one may hold more than another. */
  skew: z.number().int().min(1).max(100).default(1),
})
export type Spread = z.infer<typeof Spread>

/** Instances of an Application of the same Project, which may be the own one. */
export const Neighbour = z.strictObject({
  application: Slug,
  /** Without it the Environment that is released. */
  environment: Slug.optional(),
  /** Without it all of its processes. */
  process: ProcessName.optional(),
  over: Domain.default('host'),
  weight: Weight,
})
export type Neighbour = z.infer<typeof Neighbour>

/** Where the Instances of a process may run. Part of what is released. */
export const Placement = z.strictObject({
  nodes: z.array(NodeCondition).max(NODE_CONDITIONS_MAX).default([]),
  spread: z
    .array(Spread)
    .max(2)
    .refine((list) => new Set(list.map(({ over }) => over)).size === list.length, {
      message: 'host and zone may stand here once each',
    })
    .default([]),
  /** Not where those are. */
  apart: z.array(Neighbour).max(NEIGHBOURS_MAX).default([]),
  /** Where those are. */
  together: z.array(Neighbour).max(NEIGHBOURS_MAX).default([]),
})
export type Placement = z.infer<typeof Placement>

/** Keys of a Workload that a placement names: `application`, or `application/environment`. */
export function neighbourKey({
  application,
  environment,
}: Pick<Neighbour, 'application' | 'environment'>): string {
  return environment === undefined ? application : `${application}/${environment}`
}
