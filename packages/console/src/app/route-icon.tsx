import {
  ApartmentOutlined,
  AppstoreOutlined,
  AuditOutlined,
  CheckSquareOutlined,
  ClusterOutlined,
  DeploymentUnitOutlined,
  EnvironmentOutlined,
  FolderOutlined,
  HomeOutlined,
  KeyOutlined,
  RightOutlined,
  TeamOutlined,
} from '@ant-design/icons'
import type { ReactNode } from 'react'

import type { RouteName } from '../routes/table.ts'
import { Icon } from '../ui/icon.tsx'

const icons: Readonly<Partial<Record<RouteName, ReactNode>>> = {
  home: <Icon of={HomeOutlined} />,
  approvals: <Icon of={CheckSquareOutlined} />,
  projects: <Icon of={FolderOutlined} />,
  applications: <Icon of={AppstoreOutlined} />,
  locations: <Icon of={EnvironmentOutlined} />,
  clusters: <Icon of={ClusterOutlined} />,
  organizations: <Icon of={ApartmentOutlined} />,
  users: <Icon of={TeamOutlined} />,
  tokens: <Icon of={KeyOutlined} />,
  audit: <Icon of={AuditOutlined} />,
  workloads: <Icon of={DeploymentUnitOutlined} />,
}

/** The picture of a place in the navigation. */
export function RouteIcon({ name }: { readonly name: RouteName }) {
  return icons[name] ?? <Icon of={RightOutlined} />
}
