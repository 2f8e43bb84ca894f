import { defineErrors } from '@slipway/kit'

/** Every refusal of this package; `reason` is a short English clause, `entry` a name inside an archive, cut to a readable length. */
export const ociErrors = defineErrors({
  digest_invalid: { status: 400 },
  image_reference_invalid: { status: 400 },
  manifest_invalid: { status: 400 },
  image_config_invalid: { status: 422 },
  image_platform_missing: { status: 422 },
  image_base_invalid: { status: 422 },
  registry_unreachable: { status: 503 },
  registry_unauthorized: { status: 422 },
  registry_content_missing: { status: 404 },
  registry_refused: { status: 502 },
  registry_reply_invalid: { status: 502 },
  package_invalid: { status: 422 },
  package_too_large: { status: 422 },
  layer_invalid: { status: 422 },
  image_archive_invalid: { status: 422 },
  blob_store_unreachable: { status: 503 },
  blob_store_refused: { status: 500 },
  blob_store_login_refused: { status: 500 },
  blob_store_bucket_missing: { status: 500 },
  blob_store_region_wrong: { status: 500 },
  blob_store_clock_wrong: { status: 500 },
})
