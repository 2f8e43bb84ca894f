/*
 * The kinds of names that the API knows. Each check returns what is wrong, in the API server's words; an empty list is
 * approval. The length is looked at first and no pattern can take more than linear time on the rest.
 */
import { isIP } from 'node:net'

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?'
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const LABEL_VALUE = `(${QUALIFIED})?`
const CONFIG_KEY = '[-._a-zA-Z0-9]+'
const HEADER = '[-A-Za-z0-9]+'
const PERCENT = '[0-9]+%'

const label = new RegExp(`^${LABEL}$`)
const subdomain = new RegExp(`^${SUBDOMAIN}$`)
const label1035 = new RegExp(`^${LABEL_1035}$`)
const qualified = new RegExp(`^${QUALIFIED}$`)
const labelValue = new RegExp(`^${LABEL_VALUE}$`)

const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end " +
  `with an alphanumeric character (e.g. 'example.com', regex used for validation is '${SUBDOMAIN}')`
const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an " +
  `alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${LABEL}')`
const LABEL_1035_TEXT =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end " +
  `with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '${LABEL_1035}')`
const QUALIFIED_TEXT =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character " +
  `(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${QUALIFIED}')`
const LABEL_VALUE_TEXT =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end " +
  `with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '${LABEL_VALUE}')`
const CONFIG_KEY_TEXT =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' " +
  `(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '${CONFIG_KEY}')`

/** `when(failed, message)` for the checks below. */
function when(isWrong: boolean, message: string): readonly string[] {
  return isWrong ? [message] : []
}

export function checkSubdomain(name: string): readonly string[] {
  if (name.length > 253) return ['must be no more than 253 characters']
  return when(!subdomain.test(name), SUBDOMAIN_TEXT)
}

export function checkLabel(name: string): readonly string[] {
  if (name.length > 63) return ['must be no more than 63 characters']
  return when(!label.test(name), LABEL_TEXT)
}

/** The name of a Service, which becomes a DNS name of the older kind. */
export function checkLabel1035(name: string): readonly string[] {
  if (name.length > 63) return ['must be no more than 63 characters']
  return when(!label1035.test(name), LABEL_1035_TEXT)
}

/** The key of a label, an annotation, a taint or a resource: `[prefix/]name`. */
export function checkQualifiedName(key: string): readonly string[] {
  const parts = key.split('/')
  if (parts.length > 2) {
    return [
      `a valid label key ${QUALIFIED_TEXT} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  }
  const name = parts.at(-1) ?? ''
  const prefix = parts.length === 2 ? parts[0] : undefined
  const prefixProblems =
    prefix === ''
      ? ['prefix part must be non-empty']
      : checkSubdomain(prefix ?? 'a').map((one) => `prefix part ${one}`)
  if (name === '') return [...prefixProblems, 'name part must be non-empty', `name part ${QUALIFIED_TEXT}`]
  if (name.length > 63) return [...prefixProblems, 'name part must be no more than 63 bytes']
  return [...prefixProblems, ...when(!qualified.test(name), `name part ${QUALIFIED_TEXT}`)]
}

export function checkLabelValue(value: string): readonly string[] {
  if (value.length > 63) return ['must be no more than 63 bytes']
  return when(!labelValue.test(value), LABEL_VALUE_TEXT)
}

/** A key of a ConfigMap or Secret, which becomes a file name. */
export function checkConfigKey(key: string): readonly string[] {
  if (key.length > 253) return ['must be no more than 253 characters']
  if (!/^[-._a-zA-Z0-9]+$/.test(key)) return [CONFIG_KEY_TEXT]
  if (key === '.' || key === '..') return [`must not be '${key}'`]
  return when(key.startsWith('..'), "must not start with '..'")
}

export function checkEnvironmentName(name: string): readonly string[] {
  const text =
    "a valid environment variable name must consist only of printable ASCII characters other than '='"
  return when(!/^[ -<>-~]+$/.test(name), text)
}

/** The name of a port: at most 15 of [a-z0-9-], at least one letter. */
export function checkPortName(name: string): readonly string[] {
  return [
    ...when(name.length > 15, 'must be no more than 15 characters'),
    ...when(
      !/^[-a-z0-9]*$/.test(name),
      'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
    ),
    ...when(!/[a-z]/.test(name), 'must contain at least one letter (a-z)'),
    ...when(name.includes('--'), 'must not contain consecutive hyphens'),
    ...when(name.startsWith('-') || name.endsWith('-'), 'must not begin or end with a hyphen'),
  ]
}

export function checkPortNumber(port: unknown): readonly string[] {
  const isPort = typeof port === 'number' && port >= 1 && port <= 65_535
  return when(!isPort, 'must be between 1 and 65535, inclusive')
}

/** A port by number or by name. */
export function checkPortReference(port: unknown): readonly string[] {
  return typeof port === 'string' ? checkPortName(port) : checkPortNumber(port)
}

export function checkIp(address: string): readonly string[] {
  return when(isIP(address) === 0, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')
}

export function checkHeaderName(name: string): readonly string[] {
  const text = `a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '${HEADER}')`
  return when(!/^[-A-Za-z0-9]+$/.test(name), text)
}

export function checkPercent(value: string): readonly string[] {
  const text = `a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '${PERCENT}')`
  return when(!/^[0-9]+%$/.test(value), text)
}

/** A user or group id. */
export function checkId(id: unknown): readonly string[] {
  const isId = typeof id === 'number' && id >= 0 && id <= 2_147_483_647
  return when(!isId, 'must be between 0 and 2147483647, inclusive')
}

export const NOT_NEGATIVE = 'must be greater than or equal to 0'
export const IMMUTABLE = 'field is immutable'
