import { expect, test } from "vitest";

import { summary } from "./series";

test("a chart is told in words", () => {
  const percent = (value: number) => `${value} %`;
  const series = [
    { label: "CPU", tone: "info" as const, values: [null, 4, 9, 6] },
    { label: "Memory", tone: "warn" as const, values: [null] },
  ];
  expect(summary("Load", series, percent)).toBe("Load. CPU: 6 % (4 % – 9 %). Memory: –");
});
