import type { Workload } from '@slipway/contract'

import { useAnswer } from '../../data/queries.ts'
import { Allowed } from '../../objects/may.tsx'
import { useServing } from '../../objects/serving.ts'
import { WorkloadPage } from '../../objects/workload-page.tsx'
import { useText } from '../../preferences/text.ts'
import { useRouteParams } from '../../routes/use.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Panel } from '../../ui/page.tsx'
import { Yaml } from '../../ui/yaml.tsx'

/** What runs of a Workload, as plain Kubernetes objects that need no Slipway. */
export default function WorkloadYamlPage() {
  const { workload: id } = useRouteParams<'workloadYaml'>()
  return (
    <WorkloadPage id={id} command={(name) => `export ${name}`}>
      {(workload) => <Manifests workload={workload} />}
    </WorkloadPage>
  )
}

function Manifests({ workload }: { readonly workload: Workload }) {
  const { text } = useText()
  const serving = useServing(workload)
  return (
    <Panel
      title={text('yaml.title')}
      beside={serving && <span className="soft">{text('release.one', { number: serving.number })}</span>}
    >
      {serving ? (
        <>
          <p className="soft">{text('yaml.text')}</p>
          <Allowed does="exportWorkload" where={{ workload: workload.id }}>
            <Document workload={workload} key={serving.id} />
          </Allowed>
        </>
      ) : (
        <Empty command={`release start ${workload.name} --image <image>`}>
          {text('workload.servingNone')}
        </Empty>
      )}
    </Panel>
  )
}

function Document({ workload: { id, name } }: { readonly workload: Workload }) {
  const { text } = useText()
  const manifests = useAnswer('exportWorkload', { workload: id })
  return (
    <Loaded of={manifests}>
      {({ yaml }) => (
        <Yaml label={text('yaml.title')} yaml={yaml} fileName={`${name.replaceAll('/', '-')}.yaml`} />
      )}
    </Loaded>
  )
}
