import type { ReactNode } from 'react'

import type { Organization } from '@slipway/contract'

import { useAllRows, useAnswer } from '../data/queries.ts'
import { useText } from '../preferences/text.ts'
import { pathTo } from '../routes/path.ts'
import { Loaded } from '../ui/loaded.tsx'
import { Page, type Crumb } from '../ui/page.tsx'
import { Tabs } from '../ui/tabs.tsx'

type OrganizationPageProps = {
  readonly id: string
  readonly command: (slug: string) => string
  readonly actions?: (organization: Organization) => ReactNode
  readonly children: (organization: Organization) => ReactNode
}

const DEPTH_MAX = 20

/** The head that all pages of an Organization share. */
export function OrganizationPage({ id, command, actions, children }: OrganizationPageProps) {
  const { text } = useText()
  const organization = useAnswer('getOrganization', { organization: id })
  const all = useAllRows('listOrganizations', { limit: 200 })
  return (
    <Loaded of={organization}>
      {(one) => (
        <Page
          title={one.name}
          trail={[
            { label: text('organization.list'), to: pathTo('organizations') },
            ...aboveOf(one, all.rows ?? []),
          ]}
          beside={<code>{one.slug}</code>}
          actions={actions?.(one)}
          command={command(one.slug)}
          tabs={
            <Tabs
              label={one.name}
              tabs={[
                { label: text('organization.overview'), to: pathTo('organization', { organization: id }) },
                { label: text('organization.audit'), to: pathTo('organizationAudit', { organization: id }) },
              ]}
            />
          }
        >
          {children(one)}
        </Page>
      )}
    </Loaded>
  )
}

/** The Organizations above one, as far as the caller may see them. */
function aboveOf(organization: Organization, all: readonly Organization[]): readonly Crumb[] {
  const crumbs: Crumb[] = []
  let parent = all.find(({ id }) => id === organization.parentId)
  while (parent && crumbs.length < DEPTH_MAX) {
    const { id, name, parentId } = parent
    crumbs.unshift({ label: name, to: pathTo('organization', { organization: id }) })
    parent = all.find((one) => one.id === parentId)
  }
  return crumbs
}
