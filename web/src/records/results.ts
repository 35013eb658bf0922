/** Results of actions that are often looked for; the log has others too: every code of a problem. */
export const RESULTS = [
  "forbidden",
  "sign_in_failed",
  "wrong_code",
  "invalid_field",
  "too_many_requests",
  "internal",
] as const;
