import type { Image, Workload } from '@slipway/contract'

import { shortCommit } from '../../objects/build.tsx'
import { useFormat } from '../../preferences/format.ts'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { shortDigest } from '../../ui/copy.tsx'
import { Go } from '../../ui/go.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Panel } from '../../ui/page.tsx'
import { Status } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'

type ChoiceProps = {
  readonly images: {
    readonly data: { readonly items: readonly Image[] } | undefined
    readonly error: Error | null
    readonly refetch: () => Promise<unknown>
  }
  readonly workload: Workload
  readonly chosen: string | undefined
  readonly choose: (reference: string) => void
}

/** The Images of the Application, newest first. */
export function ImageChoice({ images, workload, chosen, choose }: ChoiceProps) {
  const { text } = useText()
  const format = useFormat()
  return (
    <Panel
      title={text('release.imagePick')}
      isFlush
      actions={
        <Go to={pathTo('startBuild', { application: workload.applicationId })}>{text('build.start')}</Go>
      }
    >
      <Loaded of={images}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty command="build start <project>/<application>">{text('release.imageNone')}</Empty>
          ) : (
            <ul className="list choices-list">
              {items.map((image) => (
                <li key={image.id} className={image.reference === chosen ? 'is-chosen' : ''}>
                  <label className="choice">
                    <input
                      type="radio"
                      name="image"
                      checked={image.reference === chosen}
                      onChange={() => choose(image.reference)}
                    />
                    <span className="list-main">
                      <span>
                        {image.tags[0] ?? shortDigest(image.digest)}{' '}
                        <small>
                          <code>{shortDigest(image.digest)}</code>
                        </small>
                      </span>
                      <small>
                        {image.commit === null ? (
                          text('release.pushed')
                        ) : (
                          <>
                            {text('build.commit')} <code>{shortCommit(image.commit)}</code>
                          </>
                        )}{' '}
                        · {image.base} · {format.bytes(image.sizeBytes)}
                      </small>
                    </span>
                    <span className="list-side">
                      {image.usedBy.some((use) => use.serves && use.workload === workload.name) && (
                        <Status tone="good">{text('release.runsHere')}</Status>
                      )}
                      <span>{image.createdBy}</span>
                      <Time at={image.createdAt} />
                    </span>
                  </label>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  )
}
