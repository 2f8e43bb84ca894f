/**
 * Gives this page's nonce to every style sheet that our own code makes, and returns it. The interface library takes a nonce
 * for most of its sheets and forgets it for some (measuring scroll bars, locking the page behind a dialog); markup that came
 * from elsewhere does not pass through here, and is stopped by the page's policy.
 */
export function markOwnStyles(): string {
  const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? ''
  const create = document.createElement.bind(document)
  const withNonce = (name: string, options?: ElementCreationOptions): HTMLElement => {
    const element = create(name, options)
    if (element instanceof HTMLStyleElement) element.nonce = nonce
    return element
  }
  document.createElement = withNonce
  return nonce
}
