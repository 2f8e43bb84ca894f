import { useAnswer } from '../../data/queries.ts'
import { Allowed } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { CommandLine } from '../../ui/command.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Panel } from '../../ui/page.tsx'
import { Yaml } from '../../ui/yaml.tsx'

/** What registering puts on a Cluster, before it is done: the account of least privilege and the rules that bind it. */
export function AccountManifest() {
  const { text } = useText()
  return (
    <Panel title={text('cluster.account')}>
      <p>{text('cluster.accountText')}</p>
      <Allowed does="getClusterManifest">
        <Manifest />
      </Allowed>
      <CommandLine line="cluster manifest" />
    </Panel>
  )
}

function Manifest() {
  const { text } = useText()
  const manifest = useAnswer('getClusterManifest', {})
  return (
    <Loaded of={manifest}>
      {({ yaml }) => <Yaml label={text('cluster.account')} yaml={yaml} fileName="slipway-account.yaml" />}
    </Loaded>
  )
}
