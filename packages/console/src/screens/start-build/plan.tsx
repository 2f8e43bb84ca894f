import type { AppManifest, Commit } from '@slipway/contract'

import { shortCommit } from '../../objects/build.tsx'
import { useText } from '../../preferences/text.ts'
import { Code } from '../../ui/copy.tsx'
import { Facts, Panel } from '../../ui/page.tsx'
import { Time } from '../../ui/time.tsx'

type Resolution = { readonly commit: Commit; readonly hasManifest: boolean; readonly manifest: AppManifest }

/** What a commit's own files say about how it is built and what it runs. */
export function BuildPlan({ resolution }: { readonly resolution: Resolution }) {
  const { text } = useText()
  const { commit, hasManifest, manifest } = resolution
  const { build, processes } = manifest
  return (
    <Panel
      title={text('build.plan')}
      beside={<small>{text(hasManifest ? 'build.planManifest' : 'build.planDetected')}</small>}
    >
      <Facts
        rows={[
          [text('build.commit'), <Code key="commit" value={commit.id} shown={shortCommit(commit.id)} />],
          [text('release.what'), commit.subject],
          [text('release.when'), <Time key="at" at={commit.authoredAt} />],
          [text('build.language'), build.language ?? text('build.languageDetected')],
          [text('build.base'), build.base ?? text('build.languageDetected')],
          [
            text('build.processes'),
            <ul key="processes">
              {Object.entries(processes).map(([name, process]) => (
                <li key={name}>
                  <code>
                    {name} × {process.instances}
                    {process.kind === 'web' ? ` :${process.port} ${process.probe.path ?? ''}` : ''}{' '}
                    {process.command?.join(' ') ?? ''}
                  </code>
                </li>
              ))}
            </ul>,
          ],
        ]}
      />
    </Panel>
  )
}
