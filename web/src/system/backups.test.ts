import { expect, test } from "vitest";

import { recipientsOf, restoreCommand } from "./backups";

const KEY = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

test("keys are taken however they are separated, and a wrong one is named", () => {
  expect(recipientsOf("")).toEqual({ keys: [] });
  expect(recipientsOf(` ${KEY}\n${KEY}, `)).toEqual({ keys: [KEY, KEY] });
  const secret = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQ";
  expect(recipientsOf(secret)).toEqual({ keys: [secret], wrong: secret });
});

test("the command names the file as a shell takes it", () => {
  const plain = { name: "2026-01-31.tar.gz", encrypted: false };
  expect(restoreCommand("/var/lib/tenantry/", plain)).toBe(
    "tenantry restore /var/lib/tenantry/backups/2026-01-31.tar.gz",
  );
  expect(restoreCommand("/srv/o'hara/my bots", { ...plain, encrypted: true })).toBe(
    "tenantry restore '/srv/o'\\''hara/my bots/backups/2026-01-31.tar.gz' --identity key.txt",
  );
});
