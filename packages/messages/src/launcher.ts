import { catalog, fill, type Language } from './catalog.ts'

/** Texts of `npm start`: help, what it says while it starts and stops, and the page at the end of the start. */
const texts = catalog({
  en: {
    help: `Starts Slipway on this machine: database, cluster, registry, API, and a sample application.

  npm start -- [options]

  --data <folder>        where everything is kept (default: .slipway in the checkout)
  --port <n>             console, API and registry (default 7447; 0 takes a free one)
  --gateway-port <n>     gateway of the applications (default 7480)
  --cluster-port <n>     embedded Kubernetes API, on loopback only (default 7443)
  --listen <address>     address for --port and --gateway-port (default 127.0.0.1)
  --public-url <url>     address that links, cookies and nodes use
  --tls-certificate <f>  PEM certificate for --public-url, with those between it and its authority;
                         without it, --listen beyond this machine makes one by an authority of its own
  --tls-key <file>       its key
  --tls-authority <f>    PEM of a private authority that signed it: builds and agents trust it
  --allow-plain-http     speak plain http also to other machines
  --no-sample            no sample application
  --keep-running         at the end leave instances running; the next start adopts them
  --log-level <level>    {levels} (default warn)
  --help                 this text

With DATABASE_URL and DATABASE_OWNER_URL set, that PostgreSQL is used instead of an own one.
npm run backup and npm run restore keep and bring back an installation.
`,
    'usage.unknown': '{problem} See npm start -- --help',
    'usage.port': '--{flag} is a number from 0 to 65535',
    'usage.ports.differ': '--port, --gateway-port and --cluster-port must differ',
    'usage.log.level': '--log-level is one of {levels}',
    'usage.data': '--data takes the name of a folder',
    'usage.listen': '--listen takes an IP address of this machine, such as 0.0.0.0',
    'usage.listen.public':
      '--listen beyond this machine needs --public-url: the address by which others reach it',
    'usage.public.url': '--public-url is an address such as https://slipway.example.com, without a path',
    'usage.plain.http':
      '--public-url of plain http sends passwords readable over the network; use https, or add --allow-plain-http',
    'usage.tls.pair':
      '--tls-certificate and --tls-key belong together; --tls-authority is only for such a certificate',
    'usage.tls.public': '--tls-certificate needs --public-url: the https address that it is for',
    'certificate.soon':
      'the certificate is valid only until {until}; replace its file, that is taken up by itself',
    'page.authority': 'Authority',
    'page.fingerprint': 'Its SHA-256',
    'usage.backup': 'npm run backup -- <new folder> [--data <folder>]. See npm run backup -- --help',
    'usage.restore':
      'npm run restore -- <backup> --master-key <file> [--data <folder>]. See npm run restore -- --help',
    'backup.help': `Backs up an installation, while it runs or not.

  npm run backup -- <new folder> [--data <folder>]

  --data <folder>        of the installation (default: .slipway in the checkout)

Into the folder go the database (encrypted with a key that only the master key opens), the Images, build logs and the
samples' repositories. The master key, keys/master.key in the data folder, is NOT part of it: keep a copy of it elsewhere,
without it the backup cannot be read. Nor is a bucket, if Images lie in one (SLIPWAY_S3_…): keep it by its own means.
What runs is not kept; it is brought about again from the database.
`,
    'restore.help': `Makes an installation out of a backup, in a data folder that holds none.

  npm run restore -- <backup> --master-key <file> [--data <folder>]

  --master-key <file>    keys/master.key of the installation that was backed up
  --data <folder>        gets the installation (default: .slipway in the checkout)

With DATABASE_URL and DATABASE_OWNER_URL set, that PostgreSQL is filled; it must be empty. With
SLIPWAY_S3_… set, Images are looked for in that bucket. What is missing is told. Then npm start.
`,
    'backup.done':
      'backed up to {folder}: {tables} tables, {blobs} image parts ({megabytes} MB). Keep keys/master.key of the data folder elsewhere; without it this backup cannot be read.',
    'backup.damaged': 'left out, since it is damaged; push its image again: {path}',
    'backup.bucket':
      'NOT in this backup: the image parts in the bucket {bucket}. Keep it by its own means (versions, replication or a copy), and give the same SLIPWAY_S3_… settings when you restore and start.',
    'restore.absent':
      '{count} image parts that the database names are not in {place}. Bring them back there, or set SLIPWAY_S3_… if they lie in a bucket; else these Images have to be pushed or built again before they can run.',
    'restore.unchecked':
      'restored, but whether all image parts are in {place} could not be found out: {reason}',
    'restore.done': 'restored what Slipway {version} backed up at {createdAt}. Start it with npm start.',
    'step.database': 'database…',
    'step.cluster': 'cluster…',
    'step.platform': 'platform…',
    'step.ready': 'ready after {seconds} s',
    'sample.building': 'sample: {url} is being built',
    'sample.answers': 'sample: {url} answers',
    'sample.silent': 'sample: {url} does not answer yet; the console and {log} say why',
    'sample.problem': 'sample: {problem}',
    'sample.build.failed':
      'its build failed: {reason}. Sign in, then npx slipway build logs {subject} shows more, and npx slipway build start {application} tries again',
    'sample.cancelled': 'somebody cancelled it',
    'sample.release.failed':
      'its release failed: {reason}. Sign in, then npx slipway release show {subject} and npx slipway logs {workload} show more',
    'part.ended': '{part} ended ({how}) and is started again',
    'part.back': '{part} runs again',
    'token.renewed': 'new first-run token: {token}',
    'room.low':
      'only {megabytes} MB are left in {folder}: changes are refused until there is room, and nothing that was accepted is lost',
    'room.back': 'there is room again in {folder}',
    stopping: 'stopping; once more ends at once',
    stopped: 'stopped',
    'stopped.kept': 'stopped; instances go on and are adopted by the next start',
    'stopped.early': 'stopped before the start was over; nothing is left running',
    'page.platform': 'Platform',
    'page.docs': 'API reference',
    'page.gateway': 'Gateway',
    'page.sample': 'Sample',
    'page.sample.problem': 'Sample fails',
    'page.kubeconfig': 'Kubeconfig',
    'page.file': 'All of this',
    'page.logs': 'Logs',
    'page.token': 'First-run token, good once and for 24 hours:',
    'page.stop': 'Ctrl-C stops it.',
  },
  'zh-CN': {
    help: `在本机启动 Slipway：数据库、集群、镜像仓库、API 和一个示例应用。

  npm start -- [选项]

  --data <目录>          所有数据的位置（默认：代码目录下的 .slipway）
  --port <端口>          控制台、API 和镜像仓库（默认 7447；0 表示任选空闲端口）
  --gateway-port <端口>  应用网关（默认 7480）
  --cluster-port <端口>  内置 Kubernetes API，仅限本机（默认 7443）
  --listen <地址>        --port 和 --gateway-port 监听的地址（默认 127.0.0.1）
  --public-url <网址>    链接、Cookie 和节点使用的地址
  --tls-certificate <文件>  --public-url 的 PEM 证书（含中间证书）；未指定而 --listen 超出本机时，
                         由自己的颁发机构签发
  --tls-key <文件>       其私钥
  --tls-authority <文件> 签发它的私有颁发机构的 PEM：构建和代理会信任它
  --allow-plain-http     对其他机器也使用明文 http
  --no-sample            不创建示例应用
  --keep-running         结束时保留运行中的实例，下次启动时接管
  --log-level <级别>     {levels}（默认 warn）
  --help                 显示本说明

设置 DATABASE_URL 和 DATABASE_OWNER_URL 后，将使用该 PostgreSQL，而不是自带的。
用 npm run backup 和 npm run restore 备份与恢复。
`,
    'usage.unknown': '{problem} 请参阅 npm start -- --help',
    'usage.port': '--{flag} 是 0 到 65535 之间的数字',
    'usage.ports.differ': '--port、--gateway-port 和 --cluster-port 必须互不相同',
    'usage.log.level': '--log-level 可取 {levels}',
    'usage.data': '--data 需要一个目录名',
    'usage.listen': '--listen 需要本机的 IP 地址，例如 0.0.0.0',
    'usage.listen.public': '--listen 超出本机时需要 --public-url：他人访问它的地址',
    'usage.public.url': '--public-url 是不带路径的网址，例如 https://slipway.example.com',
    'usage.plain.http':
      '明文 http 的 --public-url 会让密码在网络上可读；请使用 https，或加上 --allow-plain-http',
    'usage.tls.pair': '--tls-certificate 和 --tls-key 必须同时给出；--tls-authority 仅用于这样的证书',
    'usage.tls.public': '--tls-certificate 需要 --public-url：证书所属的 https 地址',
    'certificate.soon': '证书仅有效至 {until}；请更换其文件，更换后会自动生效',
    'page.authority': '颁发机构',
    'page.fingerprint': '其 SHA-256',
    'usage.backup': 'npm run backup -- <新目录> [--data <目录>]。请参阅 npm run backup -- --help',
    'usage.restore':
      'npm run restore -- <备份> --master-key <文件> [--data <目录>]。请参阅 npm run restore -- --help',
    'backup.help': `备份一个安装，无论其是否在运行。

  npm run backup -- <新目录> [--data <目录>]

  --data <目录>          该安装的数据目录（默认：代码目录下的 .slipway）

目录中包含数据库（已加密，其密钥只有主密钥能打开）、镜像、构建日志和示例仓库。主密钥（数据目录中的 keys/master.key）
不在其中：请另行保存，没有它就无法读取备份。存放镜像的存储桶（SLIPWAY_S3_…）也不在其中，请用其自身的手段保存。正在运行的实例不会备份，会根据数据库重新建立。
`,
    'restore.help': `用备份在一个空的数据目录中恢复安装。

  npm run restore -- <备份> --master-key <文件> [--data <目录>]

  --master-key <文件>    被备份安装的 keys/master.key
  --data <目录>          恢复到的数据目录（默认：代码目录下的 .slipway）

设置 DATABASE_URL 和 DATABASE_OWNER_URL 后，将恢复到该 PostgreSQL，它必须为空。设置 SLIPWAY_S3_… 后，
会在该存储桶中查找镜像。缺少的会告知。然后运行 npm start。
`,
    'backup.done':
      '已备份到 {folder}：{tables} 张表，{blobs} 个镜像部分（{megabytes} MB）。请另行保存数据目录中的 keys/master.key；没有它就无法读取此备份。',
    'backup.damaged': '因损坏而未备份，请重新推送其镜像：{path}',
    'backup.bucket':
      '此备份不包含存储桶 {bucket} 中的镜像部分。请用存储桶自身的手段（版本、复制或副本）保存，恢复和启动时使用相同的 SLIPWAY_S3_… 设置。',
    'restore.absent':
      '数据库记录的镜像部分中有 {count} 个不在 {place}。请将其放回，若在存储桶中请设置 SLIPWAY_S3_…；否则这些镜像须重新推送或构建后才能运行。',
    'restore.unchecked': '已恢复，但无法确认镜像部分是否都在 {place}：{reason}',
    'restore.done': '已恢复 Slipway {version} 于 {createdAt} 所做的备份。请用 npm start 启动。',
    'step.database': '数据库…',
    'step.cluster': '集群…',
    'step.platform': '平台…',
    'step.ready': '{seconds} 秒后就绪',
    'sample.building': '示例：正在构建 {url}',
    'sample.answers': '示例：{url} 已可访问',
    'sample.silent': '示例：{url} 尚无响应；原因见控制台和 {log}',
    'sample.problem': '示例：{problem}',
    'sample.build.failed':
      '构建失败：{reason}。登录后用 npx slipway build logs {subject} 查看详情，用 npx slipway build start {application} 重试',
    'sample.cancelled': '已被取消',
    'sample.release.failed':
      '发布失败：{reason}。登录后用 npx slipway release show {subject} 和 npx slipway logs {workload} 查看详情',
    'part.ended': '{part} 已结束（{how}），正在重新启动',
    'part.back': '{part} 已恢复运行',
    'token.renewed': '新的首次运行令牌：{token}',
    'room.low': '{folder} 仅剩 {megabytes} MB：在释放空间之前更改会被拒绝，已接受的内容不会丢失',
    'room.back': '{folder} 已有可用空间',
    stopping: '正在停止；再按一次立即结束',
    stopped: '已停止',
    'stopped.kept': '已停止；实例继续运行，下次启动时接管',
    'stopped.early': '启动完成前已停止；没有遗留任何进程',
    'page.platform': '平台',
    'page.docs': 'API 参考',
    'page.gateway': '应用网关',
    'page.sample': '示例应用',
    'page.sample.problem': '示例出错',
    'page.kubeconfig': 'Kubeconfig',
    'page.file': '以上全部',
    'page.logs': '日志',
    'page.token': '首次运行令牌，仅可使用一次，24 小时内有效：',
    'page.stop': '按 Ctrl-C 停止。',
  },
})

/** Names of the texts of `npm start`. */
export type LauncherKey = keyof typeof texts.en

/** A text of `npm start` in a language, with its parameters filled in. */
export function launcherText(
  language: Language,
  key: LauncherKey,
  params: Readonly<Record<string, string | number | boolean>> = {},
): string {
  return fill(texts[language][key], params)
}
