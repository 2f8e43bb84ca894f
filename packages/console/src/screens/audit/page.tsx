import { Select } from 'antd'

import { useAnswer } from '../../data/queries.ts'
import { AuditLog } from '../../objects/audit/audit-log.tsx'
import { commandOf, filtersOf } from '../../objects/audit/filters.ts'
import { Allowed } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { useRouteSearch } from '../../routes/use.ts'
import { Page } from '../../ui/page.tsx'

const ALL = '*'
const INSTALLATION = 'installation'

/** Everything that was done on this installation. */
export default function AuditPage() {
  const { text } = useText()
  const [search, setSearch] = useRouteSearch()
  const organizations = useAnswer('listOrganizations', { limit: 200 })
  const known = [INSTALLATION, ...(organizations.data?.items ?? []).map(({ id }) => id)]
  const chain = known.find((one) => one === search['chain'])
  return (
    <Page
      title={text('audit.list')}
      command={commandOf(filtersOf(search), chain === undefined ? '' : `--chain ${chain}`)}
    >
      <Allowed does="listAuditEvents">
        <AuditLog
          place={{ kind: 'installation', chain }}
          choice={
            <Select<string>
              aria-label={text('audit.chain')}
              value={chain ?? ALL}
              popupMatchSelectWidth={false}
              showSearch
              optionFilterProp="label"
              onChange={(value) => setSearch({ chain: value === ALL ? undefined : value })}
              options={[
                { value: ALL, label: text('audit.chainAll') },
                { value: INSTALLATION, label: text('audit.chainInstallation') },
                ...(organizations.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name })),
              ]}
            />
          }
        />
      </Allowed>
    </Page>
  )
}
