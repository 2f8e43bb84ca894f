import { catalog } from '../catalog.ts'

/** Errors of the modules app, source, build and image. */
export const whatErrors = catalog({
  en: {
    application_not_empty: 'The Application still runs in an Environment. Delete its Workloads first.',
    workload_exists: 'The Application already runs in this Environment.',
    workload_deleting: 'The Workload is being deleted.',
    environment_elsewhere: 'The Environment belongs to another Project than the Application.',
    placement_neighbour_unknown:
      'The placement of {process} names {neighbour}, and there is no Workload {name}. Write an Application of this Project that runs in that Environment ("slipway workload list" shows them), or let it run there first.',
    process_unknown: 'There is no process {process} in what runs here. It has: {known}.',
    variables_too_many: 'A Workload has at most {max} variables.',
    variable_unknown: 'There is no variable {name} to remove.',
    variable_reserved:
      'Slipway sets {name} itself; choose another name. Reserved are PORT, HOST, POD_IP and names that begin with SLIPWAY_ or KUBERNETES_.',
    variables_unchanged: 'Nothing changes: the current revision has these values already.',
    outbound_unresolved: 'There is no host {host}, or its name server does not answer.',
    outbound_forbidden:
      '{host} is an address that Slipway never connects to (metadata services, link-local, multicast).',
    outbound_private:
      '{host} is a private address. An operator can allow it with SLIPWAY_OUTBOUND_ALLOW=<CIDR>:{port}.',
    source_missing: 'The Application has no source. Set one: slipway source set.',
    source_url_invalid: 'The address of the repository cannot be used: {problem}.',
    source_local_refused:
      'The folder {path} is not below a folder that Slipway may read (SLIPWAY_LOCAL_SOURCE_ROOTS), or not there.',
    source_local_data: 'The folder {path} is part of Slipway itself.',
    source_plain_http:
      'Over plain http everybody on the way reads the code and the password. Use https, or an address of your own network.',
    source_credentials_kind: 'Credentials of this kind do not fit: {problem}.',
    source_unreachable:
      'The repository at {host} does not answer ({problem}). Check the address, then try again.',
    source_login_refused:
      'The repository at {host} asks for a login, or refuses the one it got, or is not there. Give credentials: slipway source set --token-stdin.',
    source_host_key_changed:
      'The host key of {host} is not the one seen before. If that is right, set the source again to accept the new one.',
    source_not_a_repository: 'There is no git repository at {place}.',
    source_empty: 'The repository has no commits yet. Push one, then try again.',
    source_too_large:
      'The repository is larger than {maxMiB} MiB, or takes longer than {seconds} s to fetch.',
    source_busy: 'The repository is being fetched by several requests. Try again in a moment.',
    source_failed: 'Reading the repository failed: {problem}.',
    ref_unknown:
      'There is no branch, tag or commit {ref} in the repository. "slipway source branches" shows all.',
    ref_invalid: '{ref} is not the name of a branch, tag or commit.',
    ref_ambiguous: 'Several commits begin with {ref}. Give more of it.',
    app_manifest_invalid: 'slipway.yaml is wrong: {problem}',
    build_nothing_detected:
      'The repository has neither build.sh with a language in slipway.yaml, nor package.json, requirements.txt, pom.xml or index.html. Add one, or set build.language.',
    build_host_base:
      'A base of the host runs only as a process of the host; the Cluster runs containers. Use {base} in slipway.yaml.',
    build_base_missing:
      'There is no base {base}. An operator brings one in: docker save {example} | slipway image import {base} -',
    build_command_missing:
      'It is not clear how the process {process} starts. Add start.sh, or give it a command in slipway.yaml.',
    build_command_failed: 'The build ended with exit code {exitCode}. {problem}',
    build_transfer_failed:
      'The build could not fetch its source or hand its package over (exit code {exitCode}). {problem}',
    build_timeout:
      'The build took longer than {seconds} s. Make it shorter, or raise build.timeoutSeconds in slipway.yaml.',
    build_out_of_memory:
      'The build used more than {limit} of memory. Make it use less, or ask an operator to raise SLIPWAY_BUILD_MEMORY.',
    build_out_of_disk:
      'The build used more than {limit} of disk. Make it write less, or ask an operator to raise SLIPWAY_BUILD_DISK.',
    build_too_many_processes:
      'The build had more than {limit} processes at once. Start fewer, or ask an operator to raise SLIPWAY_BUILD_PROCESSES.',
    build_not_started: 'The build could not start: {problem}',
    build_no_package: 'The build ended well but handed no package over.',
    build_lost: 'The Job of the build was lost twice. Try again; if it happens again, look at the Cluster.',
    build_ended: 'Build {number} has ended ({state}); nothing is left to do to it.',
    build_queue_full: '{max} builds of this Project wait already. Cancel some, or wait.',
    build_link_invalid: 'This address is wrong, used up or expired.',
    build_log_missing: 'The log is no longer kept. Logs of builds are kept for {days} days.',
    build_package_refused: 'What the build made cannot become an Image: {problem}',
    image_in_use:
      'The Image runs, or may be returned to, in {workloads}. Release something else there first.',
  },
  'zh-CN': {
    application_not_empty: '该应用仍在某个环境中运行，请先删除其工作负载。',
    workload_exists: '该应用已在此环境中运行。',
    workload_deleting: '该工作负载正在删除。',
    environment_elsewhere: '该环境与应用不属于同一个项目。',
    placement_neighbour_unknown:
      '{process} 的放置规则指名 {neighbour}，但不存在工作负载 {name}。请填写本项目中在该环境运行的应用（“slipway workload list”可查），或先让它在该环境运行。',
    process_unknown: '当前运行的版本没有进程 {process}。已有：{known}。',
    variables_too_many: '一个工作负载最多有 {max} 个变量。',
    variable_unknown: '没有可删除的变量 {name}。',
    variable_reserved:
      '{name} 由 Slipway 自行设置，请换一个名称。保留名称为 PORT、HOST、POD_IP，以及以 SLIPWAY_ 或 KUBERNETES_ 开头的名称。',
    variables_unchanged: '没有变化：当前修订版已是这些值。',
    outbound_unresolved: '找不到主机 {host}，或其域名服务器没有响应。',
    outbound_forbidden: '{host} 是 Slipway 从不连接的地址（元数据服务、链路本地、组播）。',
    outbound_private: '{host} 是私有地址。平台运维人员可用 SLIPWAY_OUTBOUND_ALLOW=<CIDR>:{port} 放行。',
    source_missing: '该应用没有代码源。请先设置：slipway source set。',
    source_url_invalid: '无法使用该仓库地址：{problem}。',
    source_local_refused:
      '目录 {path} 不存在，或不在 Slipway 可读取的目录（SLIPWAY_LOCAL_SOURCE_ROOTS）之下。',
    source_local_data: '目录 {path} 是 Slipway 自身的一部分。',
    source_plain_http: '通过明文 http，途经的任何人都能读到代码和密码。请使用 https 或自己网络内的地址。',
    source_credentials_kind: '凭据类型不符：{problem}。',
    source_unreachable: '{host} 上的仓库没有响应（{problem}）。请检查地址后重试。',
    source_login_refused:
      '{host} 上的仓库要求登录、拒绝了所给的凭据，或不存在。请提供凭据：slipway source set --token-stdin。',
    source_host_key_changed: '{host} 的主机密钥与之前不同。如确认无误，请重新设置代码源以接受新密钥。',
    source_not_a_repository: '{place} 处没有 git 仓库。',
    source_empty: '该仓库还没有提交。请先推送再重试。',
    source_too_large: '该仓库大于 {maxMiB} MiB，或拉取时间超过 {seconds} 秒。',
    source_busy: '该仓库正被多个请求拉取，请稍后重试。',
    source_failed: '读取仓库失败：{problem}。',
    ref_unknown: '仓库中没有分支、标签或提交 {ref}。运行“slipway source branches”查看全部。',
    ref_invalid: '{ref} 不是分支、标签或提交的名称。',
    ref_ambiguous: '有多个提交以 {ref} 开头，请给出更长的前缀。',
    app_manifest_invalid: 'slipway.yaml 有误：{problem}',
    build_nothing_detected:
      '仓库中没有 package.json、requirements.txt、pom.xml 或 index.html，slipway.yaml 也未指定语言。请添加其一，或设置 build.language。',
    build_host_base: '主机基础镜像只能作为主机进程运行，而该集群运行容器。请在 slipway.yaml 中使用 {base}。',
    build_base_missing:
      '没有基础镜像 {base}。请由平台运维人员导入：docker save {example} | slipway image import {base} -',
    build_command_missing: '无法确定进程 {process} 如何启动。请添加 start.sh，或在 slipway.yaml 中给出命令。',
    build_command_failed: '构建以退出码 {exitCode} 结束。{problem}',
    build_transfer_failed: '构建无法获取源码或交付产物（退出码 {exitCode}）。{problem}',
    build_timeout: '构建超过 {seconds} 秒。请缩短构建，或提高 slipway.yaml 中的 build.timeoutSeconds。',
    build_out_of_memory:
      '构建使用的内存超过 {limit}。请减少用量，或请平台运维人员调高 SLIPWAY_BUILD_MEMORY。',
    build_out_of_disk: '构建使用的磁盘超过 {limit}。请减少写入，或请平台运维人员调高 SLIPWAY_BUILD_DISK。',
    build_too_many_processes:
      '构建同时运行的进程超过 {limit} 个。请减少进程，或请平台运维人员调高 SLIPWAY_BUILD_PROCESSES。',
    build_not_started: '构建无法启动：{problem}',
    build_no_package: '构建正常结束，但没有交付产物。',
    build_lost: '构建的 Job 两次丢失。请重试；若再次发生，请检查集群。',
    build_ended: '构建 {number} 已结束（{state}），无法再操作。',
    build_queue_full: '该项目已有 {max} 个构建在等待。请取消一些或等待。',
    build_link_invalid: '该地址有误、已使用或已过期。',
    build_log_missing: '日志已不再保留。构建日志保留 {days} 天。',
    build_package_refused: '构建产物无法成为镜像：{problem}',
    image_in_use: '该镜像正在 {workloads} 中运行或可被回滚到。请先在那里发布其他镜像。',
  },
})
