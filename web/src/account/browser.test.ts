import { expect, test } from "vitest";

import { browserOf } from "./browser";

const KIT = "AppleWebKit/537.36 (KHTML, like Gecko)";

test("browsers and devices are known by what they say of themselves", () => {
  const android = `Mozilla/5.0 (Linux; Android 14; SM-A155F) ${KIT} Chrome/126.0.0.0 Mobile Safari/537.36`;
  expect(browserOf(android)).toEqual({ browser: "Chrome", device: "Android" });
  const edge = `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${KIT} Chrome/126.0 Safari/537.36 Edg/126.0`;
  expect(browserOf(edge)).toEqual({ browser: "Edge", device: "Windows" });
  const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1";
  expect(browserOf(phone)).toEqual({ browser: "Safari", device: "iPhone" });
  const fox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
  expect(browserOf(fox)).toEqual({ browser: "Firefox", device: "Linux" });
});

test("what says nothing is unknown", () => {
  expect(browserOf(undefined)).toEqual({});
  expect(browserOf("something")).toEqual({});
});
