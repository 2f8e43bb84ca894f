import { DownloadOutlined } from '@ant-design/icons'
import { Button } from 'antd'

import { useText } from '../preferences/text.ts'
import { CopyButton } from './copy.tsx'
import { Icon } from './icon.tsx'
import { saveFile } from './save-file.ts'

type YamlProps = { readonly label: string; readonly yaml: string; readonly fileName: string }

/** A document for Kubernetes, to read, to copy, and as a file. */
export function Yaml({ label, yaml, fileName }: YamlProps) {
  const { text } = useText()
  return (
    <div className="yaml">
      <p className="yaml-bar">
        <code>{fileName}</code>
        <CopyButton value={yaml} />
        <Button
          type="text"
          size="small"
          icon={<Icon of={DownloadOutlined} />}
          onClick={() => saveFile(fileName, 'application/yaml', [yaml])}
        >
          {text('common.download')}
        </Button>
      </p>
      <pre tabIndex={0} aria-label={label}>
        {yaml}
      </pre>
    </div>
  )
}
