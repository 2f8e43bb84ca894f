import { SECOND_MS } from '@slipway/kit'
import { Segmented } from 'antd'

import { useRows } from '../../data/queries.ts'
import { useText } from '../../preferences/text.ts'
import { useRouteSearch } from '../../routes/use.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { More } from '../../ui/more.tsx'
import { Empty, Page, Panel } from '../../ui/page.tsx'
import { NewRows } from '../../ui/steady/new-rows.tsx'
import { useSteady } from '../../ui/steady/use-steady.ts'
import { Question } from './question.tsx'

const EVERY_MS = 5 * SECOND_MS
const PAGE_ROWS = 20
/** The first ones show at once what they are about; each asks for it. */
const OPEN_ROWS = 3

type Whose = 'me' | 'anyone'

/** Every question that Releases ask a person, over all Organizations, with what speaks for them, and the answer in place. */
export default function ApprovalsPage() {
  const { text } = useText()
  const [search, setSearch] = useRouteSearch()
  const whose: Whose = search['for'] === 'anyone' ? 'anyone' : 'me'
  const gates = useRows('listGates', { for: whose, limit: PAGE_ROWS }, { everyMs: EVERY_MS })
  return (
    <Page title={text('approvals.title')} command="gate list">
      <div className="toolbar">
        <Segmented<Whose>
          aria-label={text('approvals.which')}
          value={whose}
          onChange={(value) => setSearch({ for: value === 'me' ? undefined : value })}
          options={[
            { value: 'me', label: text('approvals.mine') },
            { value: 'anyone', label: text('approvals.everybody') },
          ]}
        />
      </div>
      <Loaded of={{ ...gates, data: gates.rows }}>
        {(rows) => <Questions whose={whose} of={{ ...gates, rows }} />}
      </Loaded>
    </Page>
  )
}

type Gates = ReturnType<typeof useRows<'listGates'>>
type QuestionsProps = {
  readonly whose: Whose
  readonly of: Omit<Gates, 'rows'> & { readonly rows: NonNullable<Gates['rows']> }
}

function Questions({ whose, of }: QuestionsProps) {
  const { text } = useText()
  const steady = useSteady(of.rows, ({ release }) => `${release.id} ${release.batch}`, of.question)
  const title = text(whose === 'me' ? 'approvals.mine' : 'approvals.everybody')
  return (
    <Panel
      title={title}
      isFlush
      beside={of.total === undefined || of.total === 0 ? null : <span className="count">{of.total}</span>}
      actions={<NewRows of={steady} />}
    >
      {steady.rows.length === 0 ? (
        <Empty command="gate list">
          {text(whose === 'me' ? 'approvals.none' : 'approvals.noneAtAll')} {text('approvals.noneText')}
        </Empty>
      ) : (
        <ul className="questions" aria-label={title} {...steady.pointer}>
          {steady.rows.map((gate, index) => (
            <Question
              key={`${gate.release.id} ${gate.release.batch}`}
              gate={gate}
              isAnswered={steady.gone.has(`${gate.release.id} ${gate.release.batch}`)}
              isOpenAtFirst={index < OPEN_ROWS}
            />
          ))}
        </ul>
      )}
      <More of={of} />
    </Panel>
  )
}
