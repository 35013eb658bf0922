import type { Schemas } from "../api/client";
import type { Tone } from "./Badge.svelte";

/** The colour of a tenant's status. */
export const TENANT_TONES: Record<Schemas["TenantStatus"], Tone> = {
  NEW: "calm",
  QR_PENDING: "info",
  ACTIVE: "good",
  PAUSED: "calm",
  ERROR: "bad",
};

/** The colour of a worker's status. */
export const WORKER_TONES: Record<Schemas["WorkerStatus"], Tone> = {
  STOPPED: "calm",
  STARTING: "info",
  RUNNING: "good",
  STOPPING: "info",
  BACKOFF: "warn",
  ERROR: "bad",
};

/** The colour of a session's state. */
export const SESSION_TONES: Record<Schemas["SessionState"], Tone> = {
  DISCONNECTED: "calm",
  QR_READY: "info",
  CONNECTED: "good",
  LOGGED_OUT: "warn",
};
