import {
  AppstoreOutlined,
  DeploymentUnitOutlined,
  FolderOutlined,
  HomeOutlined,
  RightOutlined,
} from '@ant-design/icons'
import type { ReactNode } from 'react'

import type { RouteName } from '../routes/table.ts'

const icons: Readonly<Partial<Record<RouteName, ReactNode>>> = {
  home: <HomeOutlined />,
  projects: <FolderOutlined />,
  applications: <AppstoreOutlined />,
  workloads: <DeploymentUnitOutlined />,
}

/** The picture of a place in the navigation. */
export function RouteIcon({ name }: { readonly name: RouteName }) {
  return icons[name] ?? <RightOutlined />
}
