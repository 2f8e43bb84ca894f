import { MenuOutlined, SearchOutlined } from '@ant-design/icons'
import { useRouterState } from '@tanstack/react-router'
import { useEffect, useRef, useState, type ReactNode } from 'react'

import type { Account } from '@slipway/contract'

import { useText } from '../preferences/text.ts'
import { pathTo } from '../routes/path.ts'
import { Logo } from '../theme/logo.tsx'
import { Go } from '../ui/go.tsx'
import { AccountMenu } from './account-menu.tsx'
import { paletteLater, sheetLater, warmParts } from './later-parts.ts'
import { Navigation } from './navigation.tsx'
import { PaletteWaiting } from './palette-waiting.tsx'
import { isMac } from './platform.ts'
import { useShortcuts } from './shortcuts.ts'
import { Switcher } from './switcher.tsx'
import { Icon } from '../ui/icon.tsx'

/** The frame around every page: bar, navigation, palette, shortcuts. */
export function Shell({ account, children }: { readonly account: Account; readonly children: ReactNode }) {
  const { text } = useText()
  const path = useRouterState({ select: (state) => state.location.pathname })
  const [isNavigationOpen, setNavigationOpen] = useState(false)
  const [open, setOpen] = useState<'palette' | 'sheet'>()
  const [typed, setTyped] = useState('')
  const main = useRef<HTMLElement>(null)
  const openPalette = (): void => {
    setTyped('')
    setOpen('palette')
  }
  const close = (): void => setOpen(undefined)
  useShortcuts({ openPalette, openSheet: () => setOpen('sheet') })
  useEffect(() => setNavigationOpen(false), [path])
  useEffect(warmAtFirstMove, [])
  return (
    <div className={isNavigationOpen ? 'shell is-navigation-open' : 'shell'}>
      <a
        className="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault()
          main.current?.focus()
        }}
      >
        {text('nav.skip')}
      </a>
      <div className="bar" role="banner">
        <button
          type="button"
          className="quiet-button narrow-only"
          aria-expanded={isNavigationOpen}
          aria-label={text('nav.open')}
          onClick={() => setNavigationOpen(!isNavigationOpen)}
        >
          <Icon of={MenuOutlined} />
        </button>
        <Go to={pathTo('home')} className="brand" label={text('app.name')}>
          <Logo />
          <span>{text('app.name')}</span>
        </Go>
        <Switcher />
        <button type="button" className="search-button" title={text('palette.open')} onClick={openPalette}>
          <Icon of={SearchOutlined} />
          <span>{text('palette.open')}</span>
          <kbd>{isMac() ? '⌘' : 'Ctrl'} K</kbd>
        </button>
        <AccountMenu account={account} openSheet={() => setOpen('sheet')} />
      </div>
      <Navigation />
      <main id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
      {open === 'palette' && (
        <paletteLater.Part
          typed={typed}
          close={close}
          openSheet={() => setOpen('sheet')}
          waiting={<PaletteWaiting typed={typed} type={setTyped} close={close} />}
        />
      )}
      {open === 'sheet' && <sheetLater.Part close={close} />}
    </div>
  )
}

/** A page at which somebody moves, points or types is there already; what they may want next can come now. */
function warmAtFirstMove(): () => void {
  const first = { once: true, passive: true }
  const moves = ['pointermove', 'pointerdown', 'keydown'] as const
  for (const move of moves) document.addEventListener(move, warmParts, first)
  return () => {
    for (const move of moves) document.removeEventListener(move, warmParts)
  }
}
