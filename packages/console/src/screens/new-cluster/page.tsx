import { Segmented } from 'antd'

import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useRouteSearch } from '../../routes/use.ts'
import { Page } from '../../ui/page.tsx'
import { ByAgent } from './by-agent.tsx'
import { ByKubeconfig } from './by-kubeconfig.tsx'

type Way = 'kubeconfig' | 'agent'

/** Registers a Cluster: one that can be reached by its kubeconfig, one in a closed network by an agent that dials out. */
export default function NewClusterPage() {
  const { text } = useText()
  const [search, setSearch] = useRouteSearch()
  const way: Way = search['by'] === 'agent' ? 'agent' : 'kubeconfig'
  return (
    <Page
      title={text('cluster.new')}
      trail={[{ label: text('cluster.list'), to: pathTo('clusters') }]}
      command={
        way === 'agent' ? 'cluster register-agent <slug>' : 'cluster register <slug> --kubeconfig <file>'
      }
    >
      <div className="toolbar">
        <Segmented<Way>
          aria-label={text('cluster.way')}
          value={way}
          onChange={(value) => setSearch({ by: value === 'agent' ? value : undefined })}
          options={[
            { value: 'kubeconfig', label: text('cluster.way.kubeconfig') },
            { value: 'agent', label: text('cluster.way.agent') },
          ]}
        />
      </div>
      {way === 'agent' ? <ByAgent /> : <ByKubeconfig />}
    </Page>
  )
}
