import { z } from 'zod'

import { PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX } from '@slipway/kit'

/** Schema of an id with the given prefix, e.g. `rel_01k9…`. */
export function idOf(prefix: string): z.ZodString {
  return z
    .string()
    .regex(new RegExp(`^${prefix}_[0-9a-z]{26}$`, 'u'), `an id of the form ${prefix}_… is expected`)
    .meta({ description: `Id of the form ${prefix}_…` })
}

export const OrganizationId = idOf('org')
export const ProjectId = idOf('prj')
export const EnvironmentId = idOf('env')
export const UserId = idOf('usr')

const RESERVED_SLUGS: ReadonlySet<string> = new Set(['host', 'base', 'v1', 'v2', 'docs'])

/** A short name for URLs and Kubernetes objects. */
export const Slug = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,37}[a-z0-9])?$/u,
    'lower-case letters, digits and hyphens are expected, at most 39, beginning with a letter and not ending with a hyphen',
  )
  .refine((slug) => !RESERVED_SLUGS.has(slug), { message: 'this name is reserved' })
  .meta({
    description: 'Lower-case letters, digits and hyphens, at most 39 characters, beginning with a letter',
  })

/** A name for people: any script, trimmed; nothing that controls a terminal, breaks a line or turns around the text beside it. */
export const DisplayName = z
  .string()
  .trim()
  .min(1)
  .max(120)
  .regex(
    /^[^\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]*$/u,
    'one line without control characters is expected',
  )

export const Timestamp = z.iso.datetime().meta({ description: 'UTC, RFC 3339' })

/** A secret on its way in. */
export const SecretText = z.string().min(1).max(4_096)

export const PageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(PAGE_LIMIT_MAX).default(PAGE_LIMIT_DEFAULT),
  cursor: z.string().max(1_024).optional(),
})

/** Finds what has it in its short name or its name, in any case. */
export const PartOfName = z.string().trim().min(1).max(100)

/** Schema of a page of `item`. */
export function pageOf<Item extends z.ZodType>(
  item: Item,
): z.ZodObject<{ items: z.ZodArray<Item>; cursor: z.ZodOptional<z.ZodString> }, z.core.$strict> {
  return z.strictObject({ items: z.array(item), cursor: z.string().optional() })
}

/** A page of `item` that also says how many there are in all; counting stops at some thousands. */
export function countedPageOf<Item extends z.ZodType>(
  item: Item,
): z.ZodObject<
  { items: z.ZodArray<Item>; cursor: z.ZodOptional<z.ZodString>; total: z.ZodNumber },
  z.core.$strict
> {
  return pageOf(item).extend({ total: z.number().int() })
}

export const Nothing = z.undefined()

/** What every refusal looks like. `message` is the English text; readers in other languages render `code` and `params`. */
export const ErrorBody = z.strictObject({
  error: z.strictObject({
    code: z.string(),
    message: z.string(),
    params: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
    requestId: z.string(),
  }),
})
export type ErrorBody = z.infer<typeof ErrorBody>

/** What an Application calls one of its processes. */
export const ProcessName = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$/u,
    'lower-case letters, digits and hyphens are expected, at most 20',
  )
