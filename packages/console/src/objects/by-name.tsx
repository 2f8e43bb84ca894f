import { useEffect } from 'react'

import { useAnswer } from '../data/queries.ts'
import { useText } from '../preferences/text.ts'
import { pathTo } from '../routes/path.ts'
import { useGo } from '../routes/use.ts'
import { Loaded } from '../ui/loaded.tsx'
import { Page } from '../ui/page.tsx'

type Names = {
  readonly project: string
  readonly application?: string | undefined
  readonly environment?: string | undefined
}

/** Finds what a link names by short names, as the command line makes them, and goes there. */
export function ByName({ project, application, environment }: Names) {
  if (application !== undefined && environment !== undefined)
    return <WorkloadByName name={`${project}/${application}/${environment}`} />
  return <ProjectByName project={project} application={application} />
}

function WorkloadByName({ name }: { readonly name: string }) {
  const workloads = useAnswer('listWorkloads', { name })
  return (
    <Loaded of={workloads}>
      {({ items: [found] }) => <Onward to={found && pathTo('workload', { workload: found.id })} />}
    </Loaded>
  )
}

function ProjectByName({ project, application }: Pick<Names, 'project' | 'application'>) {
  const projects = useAnswer('listProjects', { slug: project })
  return (
    <Loaded of={projects}>
      {({ items: [found] }) =>
        found && application !== undefined ? (
          <ApplicationByName project={found.id} application={application} />
        ) : (
          <Onward to={found && pathTo('project', { project: found.id })} />
        )
      }
    </Loaded>
  )
}

function ApplicationByName({
  project,
  application,
}: {
  readonly project: string
  readonly application: string
}) {
  const applications = useAnswer('listApplications', { project, slug: application })
  return (
    <Loaded of={applications}>
      {({ items: [found] }) => <Onward to={found && pathTo('application', { application: found.id })} />}
    </Loaded>
  )
}

function Onward({ to }: { readonly to: string | undefined }) {
  const { text } = useText()
  const go = useGo()
  useEffect(() => {
    if (to !== undefined) go(to, { replace: true })
  }, [to, go])
  if (to !== undefined) return null
  return (
    <Page title={text('notFound.title')}>
      <p>{text('notFound.text')}</p>
    </Page>
  )
}
