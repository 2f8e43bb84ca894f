import {
  CheckOutlined,
  CloseCircleOutlined,
  CloseOutlined,
  DownOutlined,
  LoadingOutlined,
} from '@ant-design/icons'
import { consoleText } from '@slipway/messages'
import { ConfigProvider } from 'antd'
import english from 'antd/locale/en_US'
import chinese from 'antd/locale/zh_CN'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'

import { cache } from '../data/queries.ts'
import { usePreferences } from '../preferences/store.ts'
import { useTheme } from '../preferences/theme.ts'
import { libraryTheme } from '../theme/antd.ts'
import { Icon } from '../ui/icon.tsx'
import { router } from './router.tsx'

const selectIcons = {
  suffixIcon: <Icon of={DownOutlined} />,
  clearIcon: <Icon of={CloseCircleOutlined} />,
  removeIcon: <Icon of={CloseOutlined} />,
  menuItemSelectedIcon: <Icon of={CheckOutlined} />,
}

/** The whole console: language, look, data and places. @param nonce - of this page's policy, for style sheets */
export function App({ nonce }: { readonly nonce: string }) {
  const { language, density } = usePreferences()
  const shown = useTheme()
  return (
    <ConfigProvider
      csp={{ nonce }}
      locale={language === 'en' ? english : chinese}
      theme={libraryTheme(shown, density)}
      // A picture of our own comes and goes at once: the library's slides away, and stays turning unseen when it was hardly there.
      button={{ autoInsertSpace: false, loadingIcon: <Icon of={LoadingOutlined} /> }}
      wave={{ disabled: true }}
      modal={{
        closable: { 'aria-label': consoleText(language, 'common.close') },
        closeIcon: <Icon of={CloseOutlined} />,
      }}
      select={selectIcons}
      virtual
    >
      <QueryClientProvider client={cache}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </ConfigProvider>
  )
}
