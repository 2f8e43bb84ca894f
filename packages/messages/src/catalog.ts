/** The languages every text exists in. */
export const languages = ['en', 'zh-CN'] as const
export type Language = (typeof languages)[number]

/** Texts of one area: the same keys, with the same placeholders `{name}`, in every language. */
export type Catalog<Keys extends string = string> = Readonly<Record<Language, Readonly<Record<Keys, string>>>>

/** Declares an area's texts; a key that is missing in one language does not compile. */
export function catalog<const English extends Readonly<Record<string, string>>>(texts: {
  readonly en: English
  readonly 'zh-CN': { readonly [Key in keyof English]: string }
}): { readonly en: English; readonly 'zh-CN': { readonly [Key in keyof English]: string } } {
  return texts
}

/** Names of the placeholders in a text. */
export type Placeholders<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never

/** Puts parameters into a text; an unknown placeholder stays as it is, so that a reader sees what is missing. */
export function fill(text: string, params: Readonly<Record<string, string | number | boolean>>): string {
  return text.replaceAll(/\{([a-zA-Z0-9]+)\}/gu, (whole, name: string) =>
    Object.hasOwn(params, name) ? String(params[name]) : whole,
  )
}
