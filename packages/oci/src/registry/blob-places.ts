/*
 * What stores of blobs have in common: names, made of checked digests and ids only, so that nothing a client sends becomes a
 * path or a key, and what a process remembers of the uploads that it works on.
 */
import { assert } from '@slipway/kit'

import { algorithmOf, hexOf, isDigest, type Digest } from '../format/digest.ts'

const UPLOAD_ID = /^[a-z0-9_]{8,64}$/u
const REMEMBERED_MAX = 1_024

/** `blobs/<algorithm>/<first two hex>/<hex>` */
export function blobPlace(digest: Digest): string {
  assert(isDigest(digest), 'digests are parsed before they come here')
  const hex = hexOf(digest)
  return `blobs/${algorithmOf(digest)}/${hex.slice(0, 2)}/${hex}`
}

export function uploadPlace(id: string): string {
  assert(UPLOAD_ID.test(id), 'upload ids are made by the registry')
  return `uploads/${id}`
}

export function quarantinePlace(digest: Digest): string {
  return `quarantine/${algorithmOf(digest)}-${hexOf(digest)}`
}

/** States of uploads, by id, each until it is taken; beyond a limit the one that waited longest is forgotten. */
export function rememberedUploads<State>(): {
  readonly put: (id: string, state: State) => void
  readonly take: (id: string) => State | undefined
} {
  const states = new Map<string, State>()
  return {
    put(id, state) {
      states.delete(id)
      states.set(id, state)
      const oldest = states.keys().next().value
      if (states.size > REMEMBERED_MAX && oldest !== undefined) states.delete(oldest)
    },
    take(id) {
      const state = states.get(id)
      states.delete(id)
      return state
    },
  }
}
