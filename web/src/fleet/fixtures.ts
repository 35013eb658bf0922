import type { Row } from "./rows";
import type { Sample } from "./samples";

/** A row for tests: a bot that works. */
export const aRow = (id: string, more: Partial<Row> = {}): Row => ({
  id,
  slug: id,
  name: id,
  status: "ACTIVE",
  worker: "RUNNING",
  desired: "RUNNING",
  session: "CONNECTED",
  heartbeat: "on_time",
  restarts: 0,
  cpu_percent: 1,
  memory_bytes: 20 * 1024 * 1024,
  runtime: "local",
  ...more,
});

/** A sample for tests, of so many seconds after 1970. */
export const aSample = (second: number, received = 0): Sample => ({
  at: new Date(second * 1000).toISOString(),
  active: 0,
  attention: 0,
  received,
  sent: 0,
  cpu_percent: 0,
  machine_cpu_percent: 0,
  memory_bytes: 0,
  machine_memory_bytes: 0,
});
