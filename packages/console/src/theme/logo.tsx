/** A hull on the inclined ways of a slipway. */
export function Logo({ sizePx = 22 }: { readonly sizePx?: number }) {
  return (
    <svg className="logo" width={sizePx} height={sizePx} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="var(--accent)" />
      <path d="M4 22.5 28 26.5" stroke="#fff" strokeWidth="2.6" strokeLinecap="round" />
      <path
        d="M6.2 12.2 12 13.2 12.9 8 17.4 8.8 16.5 14 27 15.8C25.6 19.4 23.3 21.8 19.6 21.6L10 20C7.6 19.4 6.2 16.6 6.2 12.2Z"
        fill="#fff"
      />
    </svg>
  )
}
