import type { Row } from "./rows";

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
