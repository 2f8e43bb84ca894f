/** Text that is already HTML. Only `markup` and `raw` make it, so that nothing unescaped can slip in. */
export type Html = { readonly html: string }

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/gu, (character) => ESCAPES[character] ?? character)
}

type Part = Html | string | number | undefined | readonly Part[]

function textOf(part: Part): string {
  if (part === undefined) return ''
  if (typeof part === 'string') return escape(part)
  if (typeof part === 'number') return String(part)
  return 'html' in part ? part.html : part.map(textOf).join('')
}

/** A piece of HTML: everything that is put in is escaped, unless it is such a piece itself. */
export function markup(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: texts.map((text, index) => text + textOf(parts[index])).join('') }
}

/** Our own constants, such as the style sheet. */
export function raw(constant: string): Html {
  return { html: constant }
}
