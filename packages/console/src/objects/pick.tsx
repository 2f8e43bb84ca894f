import type { User } from '@slipway/contract'

import { useAnswer, useRows } from '../data/queries.ts'
import { Picker, usePickerSearch, type Choice, type PickerProps } from '../ui/picker.tsx'

/* One picker for each kind of thing that there may be many of. */

type Named = { readonly id: string; readonly name: string; readonly slug: string }

function choiceOf({ id, name, slug }: Named): Choice {
  return { value: id, label: name === slug ? name : `${name} · ${slug}` }
}

type ProjectProps = PickerProps & {
  /** Only those of an Organization. */
  readonly organization?: string
  readonly before?: readonly Choice[]
}

export function ProjectPicker({ organization, ...props }: ProjectProps) {
  const search = usePickerSearch()
  const projects = useRows('listProjects', {
    ...search.request,
    ...(organization === undefined ? {} : { organization }),
  })
  const id = props.value ?? ''
  const chosen = useAnswer('getProject', { project: id }, { enabled: id.startsWith('prj_'), quiet: true })
  return (
    <Picker
      {...props}
      search={search}
      of={projects}
      choices={projects.rows?.map(choiceOf)}
      chosen={chosen.data && choiceOf(chosen.data)}
    />
  )
}

export function OrganizationPicker(props: PickerProps & { readonly before?: readonly Choice[] }) {
  const search = usePickerSearch()
  const organizations = useRows('listOrganizations', search.request)
  const id = props.value ?? ''
  const chosen = useAnswer(
    'getOrganization',
    { organization: id },
    { enabled: id.startsWith('org_'), quiet: true },
  )
  return (
    <Picker
      {...props}
      search={search}
      of={organizations}
      choices={organizations.rows?.map(choiceOf)}
      chosen={chosen.data && choiceOf(chosen.data)}
    />
  )
}

export function EnvironmentPicker({ project, ...props }: PickerProps & { readonly project: string }) {
  const search = usePickerSearch()
  const environments = useRows('listEnvironments', { ...search.request, project })
  return <Picker {...props} search={search} of={environments} choices={environments.rows?.map(choiceOf)} />
}

type UserProps = Omit<PickerProps, 'onChange'> & {
  readonly choose: (user: User | undefined) => void
  readonly chosen?: Choice | undefined
}

/** People by their sign-in name or the name they show. */
export function UserPicker({ choose, ...props }: UserProps) {
  const search = usePickerSearch()
  const users = useRows('listUsers', search.request, { enabled: props.disabled !== true })
  return (
    <Picker
      {...props}
      onChange={(value) => choose(users.rows?.find(({ id }) => id === value))}
      search={search}
      of={users}
      choices={users.rows
        ?.filter(({ disabled }) => !disabled)
        .map(({ id, name, displayName }) => ({
          value: id,
          label: displayName === name ? name : `${name} · ${displayName}`,
        }))}
    />
  )
}
