/** Browsers by what they call themselves; a browser claims to be those that stand after it as well. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/Edg(e|A|iOS)?\//, "Edge"],
  [/OPR\/|Opera/, "Opera"],
  [/SamsungBrowser\//, "Samsung Internet"],
  [/Firefox\/|FxiOS\//, "Firefox"],
  [/HeadlessChrome\/|Chrome\/|CriOS\//, "Chrome"],
  [/Safari\//, "Safari"],
  [/curl\//, "curl"],
];

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/Android/, "Android"],
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Windows/, "Windows"],
  [/CrOS/, "ChromeOS"],
  [/Mac OS X|Macintosh/, "Mac"],
  [/Linux/, "Linux"],
];

/** A browser and its device, as people call them, from what it says of itself; either may not be known. */
export function browserOf(agent: string | null | undefined): { browser?: string; device?: string } {
  const said = agent ?? "";
  const browser = BROWSERS.find(([pattern]) => pattern.test(said))?.[1];
  const device = SYSTEMS.find(([pattern]) => pattern.test(said))?.[1];
  return {
    ...(browser === undefined ? {} : { browser }),
    ...(device === undefined ? {} : { device }),
  };
}
