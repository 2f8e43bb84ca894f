import { theme as library, type ThemeConfig } from 'antd'

import type { Preferences } from '../preferences/store.ts'
import { tokens } from './tokens.ts'

/** The interface library in our look: same values, borders instead of shadows, little motion. */
export function libraryTheme(shown: 'light' | 'dark', density: Preferences['density']): ThemeConfig {
  const look = tokens[shown]
  const isCompact = density === 'compact'
  return {
    algorithm: shown === 'dark' ? library.darkAlgorithm : library.defaultAlgorithm,
    token: {
      fontFamily: 'var(--sans)',
      fontFamilyCode: 'var(--mono)',
      fontSize: 13,
      borderRadius: 4,
      borderRadiusLG: 6,
      borderRadiusSM: 3,
      controlHeight: isCompact ? 28 : 32,
      colorPrimary: look.accent,
      colorLink: look.accentText,
      colorInfo: look.accent,
      colorSuccess: look.good,
      colorWarning: look.warn,
      colorError: look.bad,
      colorBgBase: look.surface,
      colorBgLayout: look.ground,
      colorBgContainer: look.surface,
      colorBgElevated: look.raised,
      colorText: look.text,
      colorTextSecondary: look.soft,
      colorTextTertiary: look.faint,
      colorTextPlaceholder: look.faint,
      colorTextDescription: look.soft,
      colorBorder: look.lineStrong,
      colorBorderSecondary: look.line,
      motionDurationFast: '0.08s',
      motionDurationMid: '0.12s',
      motionDurationSlow: '0.15s',
      boxShadow: 'none',
      boxShadowSecondary: `0 0 0 1px ${look.line}, 0 6px 20px rgb(0 0 0 / ${shown === 'dark' ? '50%' : '10%'})`,
      boxShadowTertiary: 'none',
    },
    components: {
      Button: { primaryShadow: 'none', defaultShadow: 'none', dangerShadow: 'none', fontWeight: 500 },
      Modal: { titleFontSize: 15 },
      Form: { verticalLabelPadding: '0 0 4px', itemMarginBottom: 16 },
    },
  }
}
