import { unreachable } from '@slipway/kit'

import type { Digest } from '../format/digest.ts'

/*
 * Online collection. A change that may leave something without an owner puts it into a queue; a worker takes one entry at a
 * time, and the decision here is made from facts read in the transaction that carries it out. So a push, a mount or a HEAD
 * that comes between wins, and there is never a moment in which the registry stands still.
 *
 * manifest without tag, parent, subject or pin → removed; its blobs' links are looked at next
 * link that no manifest of its repository needs → removed; the blob is looked at next
 * blob without links → counts as absent; after the grace period the file goes, the row last
 */
export type ReviewItem =
  | { readonly kind: 'manifest'; readonly repository: string; readonly digest: Digest }
  | { readonly kind: 'link'; readonly repository: string; readonly digest: Digest }
  | { readonly kind: 'blob'; readonly digest: Digest }

export type ReviewFacts =
  | {
      readonly kind: 'manifest'
      readonly present: boolean
      readonly reviewAfter: Date
      readonly tagged: boolean
      /** An index in the repository names it. */
      readonly hasParent: boolean
      /** It is attached to a manifest that is there. */
      readonly hasSubject: boolean
      /** It runs, or a kept Release needs it. */
      readonly pinned: boolean
    }
  | {
      readonly kind: 'link'
      readonly present: boolean
      readonly reviewAfter: Date
      /** A manifest of the repository names the blob. */
      readonly referenced: boolean
    }
  | {
      readonly kind: 'blob'
      readonly state: 'gone' | 'live' | 'absent' | 'removing'
      readonly reviewAfter: Date
      readonly linked: boolean
      /** No removal before this time: somebody is pushing it. */
      readonly protectedUntil: Date | undefined
      /** When it lost its last link; undefined while live. */
      readonly absentSince: Date | undefined
    }

export type ReviewDecision =
  /** Takes the entry off the queue. */
  | { readonly kind: 'keep'; readonly why: string }
  | { readonly kind: 'postpone'; readonly until: Date }
  | { readonly kind: 'removeManifest'; readonly reviewAfter: Date }
  | { readonly kind: 'removeLink'; readonly reviewAfter: Date }
  /** The blob counts as absent from now on. */
  | { readonly kind: 'hideBlob'; readonly absentSince: Date; readonly reviewAfter: Date }
  /** The caller deletes the file, then calls `finishRemoval`; the entry stays queued until then. */
  | { readonly kind: 'removeBlob'; readonly leaseUntil: Date }

export type ReviewPolicy = {
  /** From losing its last link to the deletion of the file. */
  readonly graceMs: number
  /** How long deleting one file may take; must exceed what the store needs. */
  readonly removalMs: number
}

/** Pure: same facts and time, same decision. */
export function planReview(facts: ReviewFacts, now: Date, policy: ReviewPolicy): ReviewDecision {
  // Somebody touched it after the worker took it.
  if (facts.reviewAfter.getTime() > now.getTime()) return { kind: 'postpone', until: facts.reviewAfter }
  switch (facts.kind) {
    case 'manifest':
      return planManifest(facts, now)
    case 'link':
      if (!facts.present) return { kind: 'keep', why: 'it is gone' }
      if (facts.referenced) return { kind: 'keep', why: 'a manifest needs it' }
      return { kind: 'removeLink', reviewAfter: now }
    case 'blob':
      return planBlob(facts, now, policy)
    default:
      return unreachable(facts)
  }
}

function planManifest(facts: ReviewFacts & { kind: 'manifest' }, now: Date): ReviewDecision {
  if (!facts.present) return { kind: 'keep', why: 'it is gone' }
  if (facts.tagged) return { kind: 'keep', why: 'it has a tag' }
  if (facts.hasParent) return { kind: 'keep', why: 'an index names it' }
  if (facts.hasSubject) return { kind: 'keep', why: 'it belongs to a manifest' }
  if (facts.pinned) return { kind: 'keep', why: 'it runs or is kept' }
  return { kind: 'removeManifest', reviewAfter: now }
}

function planBlob(facts: ReviewFacts & { kind: 'blob' }, now: Date, policy: ReviewPolicy): ReviewDecision {
  const nowMs = now.getTime()
  if (facts.state === 'gone') return { kind: 'keep', why: 'it is gone' }
  if (facts.linked) return { kind: 'keep', why: 'a repository holds it' }
  if (facts.protectedUntil && facts.protectedUntil.getTime() > nowMs)
    return { kind: 'postpone', until: facts.protectedUntil }
  const removal: ReviewDecision = { kind: 'removeBlob', leaseUntil: new Date(nowMs + policy.removalMs) }
  switch (facts.state) {
    case 'live':
      return { kind: 'hideBlob', absentSince: now, reviewAfter: new Date(nowMs + policy.graceMs) }
    case 'absent': {
      const dueMs = (facts.absentSince?.getTime() ?? nowMs) + policy.graceMs
      return dueMs > nowMs ? { kind: 'postpone', until: new Date(dueMs) } : removal
    }
    // An earlier worker died after its decision; deleting the file again does no harm.
    case 'removing':
      return removal
    default:
      return unreachable(facts.state)
  }
}
