import { Button } from 'antd'
import type { ReactNode } from 'react'

import { setPreferences, usePreferences } from '../preferences/store.ts'
import { useText } from '../preferences/text.ts'
import { Logo } from '../theme/logo.tsx'

/** The page around everything one does before being signed in. */
export function Welcome({ children }: { readonly children: ReactNode }) {
  const { text } = useText()
  const { language } = usePreferences()
  return (
    <main className="welcome">
      <p className="welcome-mark">
        <Logo sizePx={32} /> {text('app.name')}
      </p>
      <div className="welcome-box">{children}</div>
      <p className="welcome-foot">
        <Button
          type="text"
          size="small"
          lang={language === 'en' ? 'zh-CN' : 'en'}
          onClick={() => setPreferences({ language: language === 'en' ? 'zh-CN' : 'en' })}
        >
          {language === 'en' ? '中文' : 'English'}
        </Button>
      </p>
    </main>
  )
}
