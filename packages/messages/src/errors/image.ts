import { catalog } from '../catalog.ts'

/** Errors of the packages oci and kube: what comes in as image, package, registry's answer or kubeconfig. */
export const imageErrors = catalog({
  en: {
    digest_invalid: '"{value}" is not a digest. It looks like sha256: and 64 hexadecimal digits.',
    image_reference_invalid:
      '"{value}" is not an image reference. Write repository@sha256:… or repository:tag.',
    manifest_invalid: 'The manifest cannot be used: {reason}.',
    image_config_invalid: 'The image configuration cannot be used: {reason}.',
    image_platform_missing: 'The image is not made for {wanted}.',
    image_base_invalid: 'The base image cannot be used: {reason}.',
    registry_unreachable: 'The registry {registry} does not answer: {reason}. Try again in a moment.',
    registry_unauthorized:
      'The registry {registry} refuses the account {account}. Check its credentials and rights.',
    registry_content_missing: 'The registry {registry} does not have {what}.',
    registry_refused: 'The registry {registry} refused {what} with status {status}: {said}',
    registry_reply_invalid: 'The registry {registry} gave an answer that cannot be used: {reason}.',
    package_invalid: 'The package cannot be used: {reason} ({entry}).',
    package_too_large: 'The package is too large: {reason}.',
    layer_invalid: 'A layer of the image cannot be used: {reason} ({entry}).',
    image_archive_invalid:
      'The archive cannot be used: {reason}. Upload the output of docker save, or an OCI layout as tar.',
    blob_store_unreachable:
      'The store of blobs at {endpoint} does not answer: {reason}. Try again in a moment; if it stays so, check SLIPWAY_S3_ENDPOINT.',
    blob_store_refused:
      'The store of blobs at {endpoint} refused a request for bucket {bucket} with status {status}: {said}',
    blob_store_login_refused:
      'The store of blobs at {endpoint} refuses the account for bucket {bucket} ({said}). Check SLIPWAY_S3_ACCESS_KEY and SLIPWAY_S3_SECRET_KEY, and that the account may list the bucket and get, put and delete its objects.',
    blob_store_bucket_missing:
      'There is no bucket {bucket} at {endpoint}. Make it, or correct SLIPWAY_S3_BUCKET.',
    blob_store_region_wrong:
      'The bucket {bucket} is not in region {region} but in {right}. Set SLIPWAY_S3_REGION={right}.',
    blob_store_clock_wrong:
      'The store of blobs at {endpoint} and this machine do not agree on the time. Set the clock of this machine.',
    kubeconfig_invalid: 'The kubeconfig cannot be used: {problem}.',
    kubeconfig_field_refused: 'The kubeconfig has the field {field}, which is refused; {instead}.',
  },
  'zh-CN': {
    digest_invalid: '“{value}”不是摘要。摘要形如 sha256: 加 64 位十六进制数字。',
    image_reference_invalid: '“{value}”不是镜像引用。请写成 repository@sha256:… 或 repository:tag。',
    manifest_invalid: '无法使用该清单：{reason}。',
    image_config_invalid: '无法使用该镜像配置：{reason}。',
    image_platform_missing: '该镜像不适用于 {wanted}。',
    image_base_invalid: '无法使用该基础镜像：{reason}。',
    registry_unreachable: '镜像仓库 {registry} 没有响应：{reason}。请稍后重试。',
    registry_unauthorized: '镜像仓库 {registry} 拒绝了账号 {account}。请检查其凭据和权限。',
    registry_content_missing: '镜像仓库 {registry} 中没有 {what}。',
    registry_refused: '镜像仓库 {registry} 以状态 {status} 拒绝了 {what}：{said}',
    registry_reply_invalid: '镜像仓库 {registry} 的应答无法使用：{reason}。',
    package_invalid: '无法使用该应用包：{reason}（{entry}）。',
    package_too_large: '应用包过大：{reason}。',
    layer_invalid: '无法使用镜像的某一层：{reason}（{entry}）。',
    image_archive_invalid: '无法使用该归档：{reason}。请上传 docker save 的输出，或 tar 形式的 OCI 布局。',
    blob_store_unreachable:
      '{endpoint} 处的对象存储没有响应：{reason}。请稍后重试；若持续如此，请检查 SLIPWAY_S3_ENDPOINT。',
    blob_store_refused: '{endpoint} 处的对象存储以状态 {status} 拒绝了对存储桶 {bucket} 的请求：{said}',
    blob_store_login_refused:
      '{endpoint} 处的对象存储拒绝了访问存储桶 {bucket} 的账号（{said}）。请检查 SLIPWAY_S3_ACCESS_KEY 和 SLIPWAY_S3_SECRET_KEY，以及该账号是否可以列出存储桶并读取、写入、删除其中的对象。',
    blob_store_bucket_missing: '{endpoint} 处没有存储桶 {bucket}。请创建它，或更正 SLIPWAY_S3_BUCKET。',
    blob_store_region_wrong:
      '存储桶 {bucket} 不在区域 {region}，而在 {right}。请设置 SLIPWAY_S3_REGION={right}。',
    blob_store_clock_wrong: '{endpoint} 处的对象存储与本机的时间不一致。请校准本机的时钟。',
    kubeconfig_invalid: '无法使用该 kubeconfig：{problem}。',
    kubeconfig_field_refused: 'kubeconfig 中的字段 {field} 被拒绝；{instead}。',
  },
})
