import { AuditLog } from '../../objects/audit/audit-log.tsx'
import { commandOf, filtersOf } from '../../objects/audit/filters.ts'
import { Allowed } from '../../objects/may.tsx'
import { OrganizationPicker } from '../../objects/pick.tsx'
import { useText } from '../../preferences/text.ts'
import { useRouteSearch } from '../../routes/use.ts'
import { Page } from '../../ui/page.tsx'

const ALL = '*'
const INSTALLATION = 'installation'
const ORGANIZATION = /^org_[0-9a-z]{26}$/u

/** Everything that was done on this installation. */
export default function AuditPage() {
  const { text } = useText()
  const [search, setSearch] = useRouteSearch()
  const wanted = search['chain'] ?? ''
  const chain = wanted === INSTALLATION || ORGANIZATION.test(wanted) ? wanted : undefined
  return (
    <Page
      title={text('audit.list')}
      command={commandOf(filtersOf(search), chain === undefined ? '' : `--chain ${chain}`)}
    >
      <Allowed does="listAuditEvents">
        <AuditLog
          place={{ kind: 'installation', chain }}
          choice={
            <OrganizationPicker
              label={text('audit.chain')}
              value={chain ?? ALL}
              onChange={(value) => setSearch({ chain: value === ALL ? undefined : value })}
              before={[
                { value: ALL, label: text('audit.chainAll') },
                { value: INSTALLATION, label: text('audit.chainInstallation') },
              ]}
            />
          }
        />
      </Allowed>
    </Page>
  )
}
