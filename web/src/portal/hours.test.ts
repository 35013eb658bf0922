import { expect, test } from "vitest";

import { closed, hoursOf, weekOf } from "./hours";

test("a week is read from the document", () => {
  const week = weekOf([
    { days: ["mon-fri"], from: "08:00", to: "18:00" },
    { days: ["sat", "sun"], from: "09:00", to: "13:00" },
    { days: ["mon"], from: "19:00", to: "21:00" },
  ]);
  expect(week.mon).toEqual([
    { from: "08:00", to: "18:00" },
    { from: "19:00", to: "21:00" },
  ]);
  expect(week.fri).toEqual([{ from: "08:00", to: "18:00" }]);
  expect(week.sun).toEqual([{ from: "09:00", to: "13:00" }]);
});

test("a range may go over the week's end", () => {
  const week = weekOf([{ days: ["sat-mon"], from: "10:00", to: "12:00" }]);
  expect([week.sat, week.sun, week.mon].every((it) => it.length === 1)).toBe(true);
  expect(week.tue).toEqual([]);
});

test("it is written in as few entries as there are different times", () => {
  const hours = [
    { days: ["mon-fri"], from: "08:00", to: "18:00" },
    { days: ["sat"], from: "09:00", to: "13:00" },
  ];
  expect(hoursOf(weekOf(hours))).toEqual(hours);
  const week = closed();
  for (const day of ["mon", "tue", "thu"] as const) week[day] = [{ from: "08:00", to: "12:00" }];
  expect(hoursOf(week)).toEqual([{ days: ["mon-tue", "thu"], from: "08:00", to: "12:00" }]);
  expect(hoursOf(closed())).toEqual([]);
});

test("what is no day is left out", () => {
  expect(weekOf([{ days: ["someday"], from: "08:00", to: "12:00" }])).toEqual(closed());
});
