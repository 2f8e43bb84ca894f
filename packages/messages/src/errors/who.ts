import { catalog } from '../catalog.ts'

/** Errors of the modules tenancy, identity, access and audit. */
export const whoErrors = catalog({
  en: {
    first_run_closed: 'This installation already has an administrator. Sign in instead.',
    first_run_token_wrong:
      'The first-run token is wrong or expired. Slipway prints the current one when it starts.',
    credentials_wrong: 'Name or password is wrong.',
    account_locked: 'Too many failed sign-ins for this account. Try again in {seconds} s.',
    sign_in_busy: 'Many people are signing in right now. Try again in {seconds} s.',
    password_weak: 'This password is on the list of common ones. Choose another.',
    password_same: 'The new password is the old one.',
    user_name_taken: 'There is already a user named {name}.',
    user_last_operator: 'This is the last active operator. Make another user an operator first.',
    user_unknown: 'There is no such user.',
    token_unknown: 'There is no such token of yours.',
    slug_taken: 'The name {slug} is taken. Choose another.',
    organization_not_empty:
      'The Organization still holds Projects or Organizations. Delete or move them first.',
    organization_too_deep: 'Organizations may be nested at most {max} levels deep.',
    project_not_empty: 'The Project still holds Applications or Environments. Delete them first.',
    environment_not_empty: 'The Environment still holds Workloads. Delete them first.',
    member_last_owner: 'This is the last owner of the Organization. Make somebody else owner first.',
    member_role_beyond_own: 'You may only give roles that you have yourself.',
    cluster_unknown: 'There is no Cluster {cluster}. "slipway cluster list" shows all.',
  },
  'zh-CN': {
    first_run_closed: '此安装已有管理员，请直接登录。',
    first_run_token_wrong: '首次运行令牌错误或已过期。Slipway 启动时会打印当前令牌。',
    credentials_wrong: '用户名或密码错误。',
    account_locked: '该账号登录失败次数过多，请在 {seconds} 秒后重试。',
    sign_in_busy: '当前登录人数较多，请在 {seconds} 秒后重试。',
    password_weak: '该密码属于常见密码，请换一个。',
    password_same: '新密码与旧密码相同。',
    user_name_taken: '用户 {name} 已存在。',
    user_last_operator: '这是最后一个有效的平台运维人员，请先指定另一位。',
    user_unknown: '没有该用户。',
    token_unknown: '您没有该令牌。',
    slug_taken: '名称 {slug} 已被占用，请换一个。',
    organization_not_empty: '组织下仍有项目或子组织，请先删除或移走。',
    organization_too_deep: '组织最多嵌套 {max} 层。',
    project_not_empty: '项目下仍有应用或环境，请先删除。',
    environment_not_empty: '环境下仍有工作负载，请先删除。',
    member_last_owner: '这是组织的最后一位所有者，请先指定另一位所有者。',
    member_role_beyond_own: '您只能授予自己拥有的角色。',
    cluster_unknown: '没有集群 {cluster}。运行“slipway cluster list”查看全部集群。',
  },
})
