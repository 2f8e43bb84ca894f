/** The pod's name in an Instance's id. */
export function nameOfInstance(id: string): string {
  return id.slice(id.indexOf('.') + 1)
}

/** What tells Instances of one Workload apart: the process and the end of the name. Pure. */
export function shortName(id: string): string {
  const name = nameOfInstance(id)
  const [, process, end] = /([a-z0-9]+)-[0-9a-f]{8}(?:-[0-9a-z]+)?-([0-9a-z]{5})$/u.exec(name) ?? []
  return process === undefined || end === undefined ? name : `${process}-${end}`
}
