import { useText } from '../../preferences/text.ts'
import { Page } from '../../ui/page.tsx'

export default function HomePage() {
  const { text } = useText()
  return <Page title={text('home.title')}>{text('home.recentNone')}</Page>
}
