import { Form, Input } from 'antd'

import { useText } from '../preferences/text.ts'

export type GatewayNames = {
  readonly gateway?: string
  readonly gatewayUrl?: string
  readonly domain?: string
}

/** What was written; fields that were left empty are left out. Pure. */
export function gatewayOf({ gateway, gatewayUrl, domain }: GatewayNames): GatewayNames {
  return {
    ...(gateway ? { gateway } : {}),
    ...(gatewayUrl ? { gatewayUrl } : {}),
    ...(domain ? { domain } : {}),
  }
}

/** Where Applications answer, for Clusters that do not tell. */
export function GatewayFields() {
  const { text } = useText()
  return (
    <details>
      <summary>{text('cluster.more')}</summary>
      <Form.Item name="gateway" label={text('cluster.gatewayRef')} extra={text('cluster.gatewayRefHelp')}>
        <Input className="mono" spellCheck={false} maxLength={320} />
      </Form.Item>
      <Form.Item name="gatewayUrl" label={text('cluster.gatewayUrl')}>
        <Input className="mono" spellCheck={false} maxLength={512} placeholder="https://" />
      </Form.Item>
      <Form.Item name="domain" label={text('cluster.domain')}>
        <Input className="mono" spellCheck={false} maxLength={200} />
      </Form.Item>
    </details>
  )
}
