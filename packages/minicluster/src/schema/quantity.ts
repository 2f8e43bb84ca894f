/*
 * Quantities as the API server keeps them: parsed exactly, written back in one canonical form (`0.5` → `500m`,
 * `1024Mi` → `1Gi`), so that two spellings of one amount are no change. Source: the documentation of resource.Quantity.
 * Amounts are whole billionths (the finest unit there is), as bigint: a sum of floating point numbers would drift.
 */
const QUANTITY =
  /^([+-]?)([0-9]{0,32})(?:\.([0-9]{0,32}))?(?:([eE][+-]?[0-9]{1,3})|([numkMGTPE]|[KMGTPE]i))?$/
const DECIMAL_SUFFIXES = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'] as const
const BINARY_SUFFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const
const NANO = 1_000_000_000n
const EXPONENT_MAX = 30

type Quantity = { readonly nano: bigint; readonly form: 'decimal' | 'binary' | 'exponent' }

/** The amount in billionths of the base unit, fractions of those rounded away from zero; undefined when it is no quantity. */
export function quantityNano(text: string): bigint | undefined {
  return readQuantity(text)?.nano
}

/** The canonical spelling; undefined when the text is no quantity. */
export function canonicalQuantity(text: string): string | undefined {
  const quantity = readQuantity(text)
  if (!quantity) return undefined
  const { nano, form } = quantity
  if (nano === 0n) return '0'
  // Small and broken amounts read better in decimal, and nothing is lost.
  const isSmall = nano > -1024n * NANO && nano < 1024n * NANO
  if (form === 'binary' && !isSmall && nano % NANO === 0n) return binaryText(nano / NANO)
  return decimalText(nano, form === 'exponent')
}

function readQuantity(text: string): Quantity | undefined {
  const match = QUANTITY.exec(text)
  if (!match) return undefined
  const [, sign, whole = '', fraction = '', exponentText, suffix = ''] = match
  if (whole === '' && fraction === '') return undefined
  const digits = BigInt(`${whole}${fraction}`)
  const isBinary = suffix.endsWith('i')
  const exponent = exponentText === undefined ? decimalExponent(suffix) : Number(exponentText.slice(1))
  if (Math.abs(exponent) > EXPONENT_MAX) return undefined
  const factor = isBinary ? 1024n ** BigInt(BINARY_SUFFIXES.findIndex((known) => known === suffix)) : 1n
  const scale = exponent + 9 - fraction.length
  const numerator = digits * factor * (scale >= 0 ? 10n ** BigInt(scale) : 1n)
  const denominator = scale >= 0 ? 1n : 10n ** BigInt(-scale)
  const nano = (numerator + denominator - 1n) / denominator
  return {
    nano: sign === '-' ? -nano : nano,
    form: isBinary ? 'binary' : exponentText === undefined ? 'decimal' : 'exponent',
  }
}

function decimalExponent(suffix: string): number {
  const index = DECIMAL_SUFFIXES.findIndex((known) => known === suffix)
  return index < 0 ? 0 : (index - 3) * 3
}

function decimalText(nano: bigint, withExponent: boolean): string {
  let mantissa = nano
  let index = 0
  while (mantissa % 1000n === 0n && index < DECIMAL_SUFFIXES.length - 1) {
    mantissa /= 1000n
    index += 1
  }
  const exponent = (index - 3) * 3
  if (!withExponent) return `${mantissa}${DECIMAL_SUFFIXES[index] ?? ''}`
  return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`
}

function binaryText(value: bigint): string {
  let mantissa = value
  let index = 0
  while (mantissa % 1024n === 0n && index < BINARY_SUFFIXES.length - 1) {
    mantissa /= 1024n
    index += 1
  }
  return `${mantissa}${BINARY_SUFFIXES[index] ?? ''}`
}
