/** A table whose changes are told by the event stream. */
export type Recorded = {
  readonly table: string
  readonly type: string
  /** SQL over `one`, the row. */
  readonly id?: string
  readonly organization?: string
  readonly project?: string
  readonly application?: string
  readonly workload?: string
}

/** Statements that record changes of a table. Runs with the owner's rights, so that nobody else can write the log. */
export function recording(entry: Recorded): readonly string[] {
  const { table, type, id = 'one.id', organization = 'one.organization_id' } = entry
  const { project = 'null', application = 'null', workload = 'null' } = entry
  const name = `event_of_${table}`
  return [
    `create function ${name}() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
      declare one ${table};
      begin
        if tg_op = 'DELETE' then one := old; else one := new; end if;
        insert into event_change (type, object_id, change, organization_id, project_id, application_id, workload_id)
          values ('${type}', ${id},
            case when '${id}' <> 'one.id' and '${type}' not in ('member', 'source') then 'changed'
              when tg_op = 'INSERT' then 'created' when tg_op = 'DELETE' then 'deleted' else 'changed' end,
            ${organization}, ${project}, ${application}, ${workload});
        perform pg_notify('slipway_event', '');
        return null;
      end $$`,
    `revoke execute on function ${name}() from public`,
    `create trigger ${name}_ends after insert or delete on ${table} for each row execute function ${name}()`,
    // A row that was written again as it was tells nothing.
    `create trigger ${name}_changes after update on ${table} for each row when (old.* is distinct from new.*)
      execute function ${name}()`,
  ]
}
