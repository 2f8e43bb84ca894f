import { ByName } from '../../objects/by-name.tsx'
import { useRouteParams } from '../../routes/use.ts'

/** Where `slipway open` leads: an Application or a Workload by its name. */
export default function ByNamePage() {
  const { project, application, environment } = useRouteParams<'applicationByName'>() as ReturnType<
    typeof useRouteParams<'workloadByName'>
  >
  return <ByName project={project} application={application} environment={environment} />
}
