import { catalog } from '../catalog.ts'

/** Errors of kit and of the route layer. */
export const commonErrors = catalog({
  en: {
    cursor_invalid: 'This cursor was not made by this list. Start again without a cursor.',
    secret_unreadable:
      'A stored secret ({kind}) cannot be opened. The master key is not the one it was sealed with; start with the right one.',
    quantity_invalid: '"{value}" is not a quantity. Write something like 250m, 2 or 512Mi.',
    duration_invalid: '"{value}" is not a duration. Write something like 500ms, 30s, 10m, 2h or 7d.',
    json_invalid: 'The body is not valid JSON.',
    json_too_deep: 'The body is nested more than {max} levels deep.',
    internal:
      'Something went wrong inside Slipway. Tell your operator the request id; the log has the cause.',
    not_found: 'There is no such thing here, or you may not know of it.',
    route_unknown: 'There is no {method} {path}. The list of all operations is at /docs.',
    input_invalid: 'The {part} is not as declared: {problem}',
    body_too_large: 'The body is larger than {maxBytes} bytes.',
    media_type_unsupported: 'Send the body as application/json.',
    not_signed_in: 'Sign in first, with "slipway login" or an API token.',
    session_ended: 'Your session has ended. Sign in again.',
    permission_missing:
      'You lack the permission {permission}. Ask an owner of the Organization to give you a role that has it.',
    rate_limited: 'Too many requests. Try again in {seconds} s.',
    origin_refused: 'This request comes from another site and was refused.',
    host_unknown: 'Slipway does not answer under this name. Use {url}, or start it with --public-url.',
    idempotency_key_reused: 'This Idempotency-Key was used for another request. Use a new key.',
    idempotency_result_secret: 'This was done already; its answer held a secret that is shown only once.',
    idempotency_key_invalid: 'An Idempotency-Key has 1 to 128 printable characters.',
    too_many_streams: 'You have {max} streams open. Close one first.',
    port_unavailable:
      'Port {port} on {host} cannot be used. Stop what listens there, or start with another --port.',
    database_unavailable: 'The database does not answer. Try again in a moment.',
    generation_conflict: 'Somebody changed this in the meantime. Read it again and repeat your change.',
  },
  'zh-CN': {
    cursor_invalid: '此游标不属于该列表。请不带游标重新开始。',
    secret_unreadable:
      '无法打开已保存的密文（{kind}）。当前主密钥与加密时使用的不同，请使用正确的主密钥启动。',
    quantity_invalid: '“{value}”不是有效的数量。请写成 250m、2 或 512Mi 的形式。',
    duration_invalid: '“{value}”不是有效的时长。请写成 500ms、30s、10m、2h 或 7d 的形式。',
    json_invalid: '请求体不是有效的 JSON。',
    json_too_deep: '请求体嵌套超过 {max} 层。',
    internal: 'Slipway 内部出错。请将请求编号告知运维人员，日志中有原因。',
    not_found: '这里没有该对象，或者您无权知晓。',
    route_unknown: '不存在 {method} {path}。全部操作列表见 /docs。',
    input_invalid: '{part} 与声明不符：{problem}',
    body_too_large: '请求体超过 {maxBytes} 字节。',
    media_type_unsupported: '请以 application/json 发送请求体。',
    not_signed_in: '请先登录：运行“slipway login”或使用 API 令牌。',
    session_ended: '会话已结束，请重新登录。',
    permission_missing: '您缺少权限 {permission}。请向组织所有者申请具有该权限的角色。',
    rate_limited: '请求过于频繁，请在 {seconds} 秒后重试。',
    origin_refused: '该请求来自其他站点，已被拒绝。',
    host_unknown: 'Slipway 不使用此名称提供服务。请访问 {url}，或以 --public-url 启动。',
    idempotency_key_reused: '此 Idempotency-Key 已用于另一个请求，请使用新的键。',
    idempotency_result_secret: '该请求已执行；其结果包含只显示一次的密文。',
    idempotency_key_invalid: 'Idempotency-Key 须为 1 到 128 个可打印字符。',
    too_many_streams: '您已打开 {max} 个流，请先关闭一个。',
    port_unavailable: '无法使用 {host} 上的端口 {port}。请停止占用它的程序，或以其他 --port 启动。',
    database_unavailable: '数据库没有响应，请稍后重试。',
    generation_conflict: '对象已被他人修改。请重新读取后再更改。',
  },
})
