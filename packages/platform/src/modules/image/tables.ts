import type { WorkloadTemplate } from '@slipway/contract'
import type { Annotations, Digest } from '@slipway/oci'

export type RepositoryTable = {
  readonly name: string
  /** Empty for repositories of bases, which belong to the installation. */
  readonly organization_id: string
  readonly project_id: string | null
  readonly application_id: string | null
  readonly created_at: Date
}
export type ManifestTable = {
  readonly repository: string
  readonly digest: Digest
  readonly organization_id: string
  readonly media_type: string
  readonly bytes: Buffer
  readonly artifact_type: string | null
  readonly annotations: Annotations
  readonly subject: Digest | null
  readonly blobs: Digest[]
  readonly children: Digest[]
  readonly pushed_at: Date
}
export type TagTable = {
  readonly repository: string
  readonly tag: string
  readonly organization_id: string
  readonly digest: Digest
}
export type LinkTable = {
  readonly repository: string
  readonly digest: Digest
  readonly organization_id: string
}
export type UploadTable = {
  readonly id: string
  readonly repository: string
  readonly organization_id: string
  readonly algorithm: 'sha256' | 'sha512'
  readonly size_bytes: number
  readonly started_at: Date
  readonly claim: string | null
  readonly claimed_until: Date | null
}
export type BlobTable = {
  readonly digest: Digest
  readonly state: 'live' | 'absent' | 'removing'
  readonly size_bytes: number
  readonly protected_until: Date | null
  readonly absent_since: Date | null
  readonly removing_until: Date | null
}
export type ReviewTable = {
  readonly key: string
  readonly kind: 'manifest' | 'link' | 'blob'
  readonly repository: string
  readonly digest: Digest
  readonly review_after: Date
  readonly leased_until: Date | null
}
export type ImageTable = {
  readonly id: string
  readonly organization_id: string
  readonly project_id: string
  readonly application_id: string
  readonly repository: string
  readonly digest: Digest
  readonly template: WorkloadTemplate
  readonly base: string
  readonly commit_id: string | null
  readonly build_id: string | null
  readonly size_bytes: number
  readonly created_by: string
  readonly created_at: Date
}
export type RobotTable = {
  readonly id: string
  readonly organization_id: string
  readonly project_id: string
  readonly cluster_id: string
  readonly namespace: string
  /** Sealed. */
  readonly secret: string
  readonly secret_hash: string
  readonly previous_hash: string | null
  readonly previous_until: Date | null
  readonly rotated_at: Date
}
export type TokenKeyTable = { readonly id: string; readonly sealed: string; readonly created_at: Date }

export type ImageTables = {
  readonly image_repository: RepositoryTable
  readonly image_manifest: ManifestTable
  readonly image_tag: TagTable
  readonly image_link: LinkTable
  readonly image_upload: UploadTable
  readonly image_blob: BlobTable
  readonly image_review: ReviewTable
  readonly image_image: ImageTable
  readonly image_robot: RobotTable
  readonly image_token_key: TokenKeyTable
}
