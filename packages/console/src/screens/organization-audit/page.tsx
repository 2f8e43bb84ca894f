import { AuditLog } from '../../objects/audit/audit-log.tsx'
import { commandOf, filtersOf } from '../../objects/audit/filters.ts'
import { Allowed } from '../../objects/may.tsx'
import { OrganizationPage } from '../../objects/organization-page.tsx'
import { useRouteParams, useRouteSearch } from '../../routes/use.ts'

/** Everything that was done in one Organization. */
export default function OrganizationAuditPage() {
  const { organization: id } = useRouteParams<'organizationAudit'>()
  const [search] = useRouteSearch()
  return (
    <OrganizationPage id={id} command={(slug) => commandOf(filtersOf(search), `--organization ${slug}`)}>
      {() => (
        <Allowed does="listOrganizationAuditEvents" where={{ organization: id }}>
          <AuditLog place={{ kind: 'organization', organization: id }} />
        </Allowed>
      )}
    </OrganizationPage>
  )
}
