import { useText } from '../preferences/text.ts'
import { ShellLine } from '../ui/command.tsx'
import { Shape } from '../ui/status.tsx'
import { Yaml } from '../ui/yaml.tsx'

type ManifestProps = { readonly slug: string; readonly manifest: string }

/** What is applied in a Cluster so that its agent dials the platform; holds a token that is shown this one time. */
export function AgentManifest({ slug, manifest }: ManifestProps) {
  const { text } = useText()
  const fileName = `slipway-agent-${slug}.yaml`
  return (
    <>
      <p>
        <Shape tone="warn" /> {text('cluster.agentOnce')}
      </p>
      <Yaml label={text('cluster.agentManifest')} yaml={manifest} fileName={fileName} />
      <p className="agent-step">{text('cluster.agentApply')}</p>
      <ShellLine line={`kubectl apply -f ${fileName}`} />
    </>
  )
}
