import { EyeInvisibleOutlined, EyeOutlined } from '@ant-design/icons'
import { Input, type InputProps } from 'antd'

import { useText } from '../preferences/text.ts'
import { Icon } from './icon.tsx'

/** A field for a secret, which can be shown while it is typed. */
export function PasswordInput(props: InputProps) {
  const { text } = useText()
  return (
    <Input.Password
      {...props}
      iconRender={(isVisible) => {
        const said = text(isVisible ? 'common.hide' : 'common.show')
        return (
          <span title={said} aria-label={said} role="img">
            <Icon of={isVisible ? EyeOutlined : EyeInvisibleOutlined} />
          </span>
        )
      }}
    />
  )
}
