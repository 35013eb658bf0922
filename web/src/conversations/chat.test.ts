import { expect, test } from "vitest";

import { chatOf } from "./chat";

test("an address tells with whom a chat is", () => {
  expect(chatOf("254700000001@s.whatsapp.net")).toEqual({ kind: "person", name: "254700000001" });
  expect(chatOf("254700000001:12@s.whatsapp.net").name).toBe("254700000001");
  expect(chatOf("99887766@lid").kind).toBe("hidden");
  expect(chatOf("12036302-15@g.us")).toEqual({ kind: "group", name: "12036302-15" });
  expect(chatOf("status@broadcast").kind).toBe("other");
  expect(chatOf("nonsense")).toEqual({ kind: "other", name: "nonsense" });
  expect(chatOf("@lid").name).toBe("@lid");
});
