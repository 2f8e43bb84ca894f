export type LeaseTable = {
  readonly name: string
  readonly holder: string
  /** Rises with every change of holder: the fencing token. */
  readonly epoch: number
  readonly expires_at: Date
}
export type SettingTable = {
  readonly key: string
  readonly value: string
}
export type ControlTables = {
  readonly control_lease: LeaseTable
  readonly control_setting: SettingTable
}
