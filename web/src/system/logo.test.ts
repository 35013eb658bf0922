import { expect, test } from "vitest";

import { logoFault, MOST_BYTES } from "./logo";

test("a logo is a picture of a kind and size that the server takes", () => {
  expect(logoFault({ type: "image/png", size: MOST_BYTES })).toBeUndefined();
  expect(logoFault({ type: "image/webp", size: MOST_BYTES + 1 })).toBe("large");
  expect(logoFault({ type: "image/png", size: 0 })).toBe("empty");
  // It can hold programs.
  expect(logoFault({ type: "image/svg+xml", size: 100 })).toBe("type");
  expect(logoFault({ type: "", size: 100 })).toBe("type");
});
