import { protectTable, type Migration } from '@slipway/db'

import { inOrder, statements } from './statements.ts'

/** Instances that leave a node: drains and losses. */
export const evacuation: Migration = {
  id: 14,
  name: 'evacuation',
  up: inOrder(
    statements(
      `create table evacuation_run (
        id text primary key, cluster_id text not null references fleet_cluster (id) on delete cascade, node text not null,
        kind text not null, state text not null, problem jsonb, started_by text, started_at timestamptz(3) not null,
        deadline_at timestamptz, node_back_at timestamptz, ended_at timestamptz, generation int not null default 1)`,
      // One drain of a node at a time, and one loss.
      `create unique index evacuation_run_running on evacuation_run (cluster_id, node, kind) where state = 'Running'`,
      // The newest, over all nodes; and which are old enough to be forgotten.
      `create index evacuation_run_recent on evacuation_run (started_at desc, id desc)`,
      `create table evacuation_move (
        evacuation_id text not null references evacuation_run (id) on delete cascade, organization_id text not null,
        workload_id text not null references app_workload (id) on delete cascade, process text not null, version text not null,
        pod_uid text not null, pod text not null, state text not null, why jsonb, to_pod text, to_node text,
        changed_at timestamptz not null, primary key (evacuation_id, pod_uid))`,
      // Which evacuations moved something of a Workload.
      `create index evacuation_move_workload on evacuation_move (workload_id)`,
    ),
    (db) => protectTable(db, 'evacuation_move'),
  ),
}
