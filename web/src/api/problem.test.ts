import { expect, test } from "vitest";

import { Problem, saidOfSession } from "./problem";

test.each([
  [401, "unauthorized", "over"],
  [401, "sign_in_failed", undefined],
  [403, "csrf_token", "another"],
  [403, "forbidden", undefined],
  [500, "internal", undefined],
])("%i %s says of the session: %s", (status, code, said) => {
  expect(saidOfSession(new Problem(status, code, ""))).toBe(said);
});
