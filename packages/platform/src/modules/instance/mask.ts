/*
 * Makes a command fit to be kept: bounded, on one line, and without what looks like a secret. The values of the Workload's secret
 * variables are known and always hidden; the rest goes by what people write before a secret. It errs on the side of hiding.
 */
const MASK = '***'
const WORD_MAX = 300
const COMMAND_MAX = 1_000
/** A shorter value would hide half of the command and protect nothing. */
const SECRET_MIN = 4

/* Every repetition below is bounded, so that the time grows with the length of the command and no faster. */
const NAME =
  '(?:passw|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)[\\w.-]{0,40}'
/** `PASSWORD=x`, `--token=x`, `"secret": "x"`, `password: x` */
const ASSIGNED = new RegExp(
  `(${NAME}["']?\\s{0,3}[=:]\\s{0,3})("[^"]{0,300}"?|'[^']{0,300}'?|[^\\s"',;&]{1,300})`,
  'giu',
)
/** An option whose value is the next word. */
const OPTION = new RegExp(`^--?[\\w.-]{0,40}${NAME}$`, 'iu')
/** The password in `scheme://user:password@host`. */
const IN_ADDRESS = /(\w:\/\/[^\s/:@]{0,100}:)[^\s/@]{1,200}@/gu
const IN_HEADER = /\b(bearer|basic|authorization:)(\s{1,3})(?:(?:bearer|basic)\s{1,3})?[^\s"']{1,300}/giu
/** Programs that take a password stuck to -p. */
const STUCK_TO_P = /(^|\/)(?:mysql|mysqldump|mysqladmin|mariadb|mariadb-dump)$/u

/** @param secrets - values that are known to be secret */
export function maskedCommand(words: readonly string[], secrets: readonly string[]): string {
  // The longest first: one secret may be the beginning of another.
  const known = secrets
    .filter((secret) => secret.length >= SECRET_MIN)
    .toSorted((a, b) => b.length - a.length)
  const takesStuck = STUCK_TO_P.test(words[0] ?? '')
  const masked = words.map((word, index) => {
    if (OPTION.test(words[index - 1] ?? '')) return MASK
    if (takesStuck && /^-p./u.test(word)) return `-p${MASK}`
    let text = word
    for (const secret of known) text = text.replaceAll(secret, MASK)
    return shortened(text, WORD_MAX)
      .replaceAll(IN_ADDRESS, `$1${MASK}@`)
      .replaceAll(IN_HEADER, `$1$2${MASK}`)
      .replaceAll(ASSIGNED, `$1${MASK}`)
  })
  return shortened(masked.map(quoted).join(' '), COMMAND_MAX)
}

function quoted(word: string): string {
  return /^[\w@%+=:,./*-]+$/u.test(word) ? word : JSON.stringify(word)
}

function shortened(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`
}
