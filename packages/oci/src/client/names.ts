import { ociErrors } from '../errors.ts'
import { isDigest } from '../format/digest.ts'
import { isRepositoryName, isTag } from '../format/names.ts'

export function checkRepository(name: string): string {
  if (!isRepositoryName(name)) throw ociErrors.image_reference_invalid({ value: name.slice(0, 128) })
  return name
}

export function checkReference(reference: string): string {
  if (!isTag(reference) && !isDigest(reference))
    throw ociErrors.image_reference_invalid({ value: reference.slice(0, 128) })
  return reference
}

export function scopeOf(repository: string, actions: 'pull' | 'pull,push' | 'delete'): string {
  return `repository:${repository}:${actions}`
}
