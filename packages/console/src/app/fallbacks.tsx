import type { ErrorComponentProps } from '@tanstack/react-router'
import { Button } from 'antd'

import { useText } from '../preferences/text.ts'
import { pathTo } from '../routes/path.ts'
import { Go } from '../ui/go.tsx'
import { Page } from '../ui/page.tsx'
import { ReportButton } from '../ui/refusal.tsx'

export function NothingHere() {
  const { text } = useText()
  return (
    <Page title={text('notFound.title')}>
      <p>{text('notFound.text')}</p>
      <p>
        <Go to={pathTo('home')}>{text('notFound.home')}</Go>
      </p>
    </Page>
  )
}

/** What stands in the place of a page that failed itself. */
export function Crashed({ error }: ErrorComponentProps) {
  const { text } = useText()
  return (
    <div className="fallback" role="alert">
      <h1>{text('error.crash')}</h1>
      <p>{text('error.crashText')}</p>
      <p>
        <Button type="primary" onClick={() => window.location.reload()}>
          {text('error.reload')}
        </Button>
        <ReportButton error={error} />
      </p>
    </div>
  )
}
