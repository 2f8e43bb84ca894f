import { catalog } from '../catalog.ts'

/** Errors of the module fleet and of the client for Clusters. */
export const whereErrors = catalog({
  en: {
    cluster_unreachable:
      'Cluster {cluster} does not answer ({problem}). Check that it runs and can be reached from here. Nothing is decided about what runs there until it does.',
    cluster_without_agent:
      'Cluster {cluster} was registered by a kubeconfig, not by an agent. Register it with --agent under another name.',
    cluster_refused: 'Cluster {cluster} refused: {problem}',
    cluster_in_use: 'Environments still use this Cluster. Delete them first.',
    cluster_default: 'This is the default Cluster. Make another one the default first.',
    cluster_too_old:
      'The Cluster runs Kubernetes {version}; {oldest} or newer is needed. Upgrade it, then register it again.',
    cluster_untrusted:
      'The certificate of {server} cannot be trusted ({problem}). Put the certificate of the authority that signed it into certificate-authority-data of the kubeconfig.',
    cluster_not_kubernetes:
      'What answers at {server} is no Kubernetes API ({problem}). Check the server in the kubeconfig, and proxies on the way.',
    cluster_failing:
      'Cluster {cluster} answers with an error ({problem}). Look after its API server, then try again.',
    cluster_credentials_refused:
      'Cluster {cluster} does not accept these credentials. Take a kubeconfig that "kubectl --kubeconfig <file> get nodes" works with, then try again.',
    cluster_credentials_expired:
      'Cluster {cluster} no longer accepts the credentials that are stored ({problem}). Give it new ones: "slipway cluster renew-credentials {cluster} --kubeconfig <file>". What runs there goes on.',
    cluster_credentials_given:
      'Cluster {cluster} was registered with credentials that Slipway cannot renew. Give it new ones: "slipway cluster renew-credentials {cluster} --kubeconfig <file>".',
    cluster_rights_missing:
      'These credentials may not do what registering needs: {problem}. Use those of an administrator once; or apply what "slipway cluster manifest" prints, and register with a token of ServiceAccount slipway-system/slipway.',
    cluster_owned:
      'Another installation of Slipway works with this Cluster: {owner} at {address}. Remove the Cluster there, unless that installation is gone for good. Then delete ConfigMap slipway-owner in namespace slipway-system of the Cluster, and try again.',
    cluster_registered: 'This Cluster is registered already, as {cluster}.',
    cluster_token_capped:
      'The Cluster gives tokens a life too short to work with (until {until}). Raise --service-account-max-token-expiration of its API server to a day or more.',
    cluster_account_unusable:
      'The account that was made for Slipway cannot be used: {problem}. Check that the API server runs with --authorization-mode=RBAC and with ValidatingAdmissionPolicy, then try again.',
  },
  'zh-CN': {
    cluster_unreachable:
      '集群 {cluster} 没有响应（{problem}）。请检查它是否运行、能否从此处访问。在其恢复之前，不会对其上运行的内容做任何决定。',
    cluster_without_agent:
      '集群 {cluster} 是通过 kubeconfig 注册的，没有代理。请换一个名称并使用 --agent 注册。',
    cluster_refused: '集群 {cluster} 拒绝了请求：{problem}',
    cluster_in_use: '仍有环境使用该集群，请先删除这些环境。',
    cluster_default: '这是默认集群，请先指定另一个默认集群。',
    cluster_too_old: '该集群的 Kubernetes 版本为 {version}，需要 {oldest} 或更新版本。请升级后重新注册。',
    cluster_untrusted:
      '无法信任 {server} 的证书（{problem}）。请将签发该证书的机构证书写入 kubeconfig 的 certificate-authority-data。',
    cluster_not_kubernetes:
      '{server} 返回的不是 Kubernetes API（{problem}）。请检查 kubeconfig 中的 server 以及途中的代理。',
    cluster_failing: '集群 {cluster} 返回错误（{problem}）。请检查其 API 服务器，然后重试。',
    cluster_credentials_refused:
      '集群 {cluster} 不接受这些凭据。请使用“kubectl --kubeconfig <文件> get nodes”可用的 kubeconfig，然后重试。',
    cluster_credentials_expired:
      '集群 {cluster} 不再接受已保存的凭据（{problem}）。请提供新凭据：“slipway cluster renew-credentials {cluster} --kubeconfig <文件>”。其上运行的内容不受影响。',
    cluster_credentials_given:
      '集群 {cluster} 使用的凭据无法由 Slipway 轮换。请提供新凭据：“slipway cluster renew-credentials {cluster} --kubeconfig <文件>”。',
    cluster_rights_missing:
      '这些凭据没有注册所需的权限：{problem}。请使用一次管理员凭据；或应用“slipway cluster manifest”输出的清单，再用 ServiceAccount slipway-system/slipway 的令牌注册。',
    cluster_owned:
      '另一套 Slipway 正在使用该集群：{owner}，地址 {address}。请先在那里移除该集群（那套 Slipway 已不复存在时除外），再删除该集群命名空间 slipway-system 中的 ConfigMap slipway-owner，然后重试。',
    cluster_registered: '该集群已注册，名称为 {cluster}。',
    cluster_token_capped:
      '该集群签发的令牌有效期太短（至 {until}）。请将其 API 服务器的 --service-account-max-token-expiration 提高到一天或更长。',
    cluster_account_unusable:
      '为 Slipway 创建的账号无法使用：{problem}。请确认 API 服务器启用了 --authorization-mode=RBAC 和 ValidatingAdmissionPolicy，然后重试。',
  },
})
