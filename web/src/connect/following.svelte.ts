import type { Schemas } from "../api/client";
import type { TenantAccess } from "../api/tenant";
import { EventStream, type Message } from "../live/stream.svelte";

/** A tenant's session as it changes, and the code that waits. */
export class Following {
  /** The tenant at a glance; stays absent for the holder of a link, who may not see it. */
  status = $state.raw<Schemas["StatusView"]>();
  session = $state.raw<Schemas["SessionView"]>();
  qr = $state.raw<Schemas["QrView"]>();
  readonly stream: EventStream;

  constructor(access: TenantAccess) {
    // The holder of a link may see the session alone.
    const suffix = access.through === "link" ? "/session/events" : "/stream";
    this.stream = new EventStream({
      url: () => access.url(suffix),
      headers: access.headers,
      onMessage: (message) => this.#hear(message),
    });
  }

  close(): void {
    this.stream.close();
  }

  #hear({ event, data }: Message): void {
    if (event === "status") {
      const { status, qr } = JSON.parse(data) as Schemas["TenantStream"];
      this.status = status;
      this.session = status.session;
      this.qr = qr ?? undefined;
    } else if (event === "message") {
      const { session, qr } = JSON.parse(data) as Schemas["SessionEvent"];
      this.session = session;
      this.qr = qr;
    }
  }
}

/** The time now in milliseconds, which moves on each second as long as somebody looks. */
export function seconds(): { readonly now: number } {
  let now = $state(Date.now());
  $effect(() => {
    const timer = setInterval(() => (now = Date.now()), 1000);
    return () => clearInterval(timer);
  });
  return {
    get now() {
      return now;
    },
  };
}
