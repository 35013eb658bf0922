/** How grave a line is, from the least to the most. */
export const LEVELS = ["trace", "debug", "info", "warn", "error"] as const;

export type Level = (typeof LEVELS)[number];

/** A line of a log, understood as far as it can be. */
export interface LogLine {
  /** As it was written, without colours. */
  raw: string;
  /** Its level; that of the line before for what belongs to one, such as a stack; `undefined` where none is known. */
  level: Level | undefined;
  /** When it was written, where the line says so, in milliseconds since 1970. */
  at: number | undefined;
  /** What to read: the part of the program that wrote, the message, and the rest. */
  text: string;
}

const WORDS: Readonly<Record<string, Level>> = {
  trace: "trace",
  verbose: "trace",
  silly: "trace",
  debug: "debug",
  info: "info",
  log: "info",
  notice: "info",
  warn: "warn",
  warning: "warn",
  error: "error",
  err: "error",
  fatal: "error",
  critical: "error",
  panic: "error",
};

// eslint-disable-next-line no-control-regex -- an escape is what a colour begins with
const COLOURS = /\u001b\[[\d;?]*[ -/]*[@-~]/g;
const LEADING_TIME =
  /^\[?(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?)\]?\s*/;
const WORD = /^[[(<]?([A-Za-z]+)[\])>]?:?(?=\s|$)/;
const PAIR = /\blevel=["']?([A-Za-z]+)/;

/** A line without the colours that a terminal would show. */
export const plain = (line: string): string => line.replace(COLOURS, "");

/** Understands a line; `before` is the one before it. */
export function understood(line: string, before?: LogLine): LogLine {
  const raw = plain(line);
  return ofJson(raw) ?? ofText(raw, before);
}

function levelOf(value: unknown): Level | undefined {
  if (typeof value === "string") return WORDS[value.toLowerCase()];
  // Pino's and bunyan's numbers.
  if (typeof value !== "number") return undefined;
  return LEVELS[Math.min(4, Math.max(0, Math.floor(value / 10) - 1))];
}

function timeOf(value: unknown): number | undefined {
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  const at = new Date(value).getTime();
  return Number.isNaN(at) ? undefined : at;
}

/** Keys whose values stand elsewhere than among the rest. */
const OWN = new Set(["ts", "time", "timestamp", "level", "target", "message", "msg"]);

function ofJson(raw: string): LogLine | undefined {
  if (!raw.startsWith("{")) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch {
    return undefined;
  }
  const fields = value as Record<string, unknown>;
  const rest = Object.entries(fields)
    .filter(([name]) => !OWN.has(name))
    .map(([name, it]) => `${name}=${typeof it === "string" ? it : JSON.stringify(it)}`);
  const words = [fields["target"], fields["message"] ?? fields["msg"], ...rest];
  return {
    raw,
    level: levelOf(fields["level"]),
    at: timeOf(fields["ts"] ?? fields["time"] ?? fields["timestamp"]),
    text: words.filter((it) => it !== undefined && it !== "").join("  ") || raw,
  };
}

function ofText(raw: string, before: LogLine | undefined): LogLine {
  const time = LEADING_TIME.exec(raw);
  const rest = time === null ? raw : raw.slice(time[0].length);
  const word = WORD.exec(rest.trimStart())?.[1] ?? PAIR.exec(rest)?.[1];
  // A word such as "info" at the beginning of a sentence is no level; one that stands for it is in capitals or marked.
  const marked =
    word !== undefined && (word === word.toUpperCase() || /^\s*[[(<]|^\s*\w+:|level=/.test(rest));
  const level = marked ? levelOf(word) : undefined;
  const isMore = time === null && level === undefined && /^\s/.test(raw);
  return {
    raw,
    level: level ?? (isMore ? before?.level : undefined),
    at: timeOf(time?.[1]?.replace(",", ".")),
    text: rest === "" ? raw : rest,
  };
}

/** Whether a line is at least so grave. What says no level is shown always: it may be the reason of a failure. */
export function isAtLeast(line: LogLine, least: Level | undefined): boolean {
  if (least === undefined || line.level === undefined) return true;
  return LEVELS.indexOf(line.level) >= LEVELS.indexOf(least);
}

/** The lines that are so grave and have a text in them, in capitals or not. */
export function chosen(
  lines: readonly LogLine[],
  least: Level | undefined,
  sought: string,
): readonly LogLine[] {
  const needle = sought.toLowerCase();
  if (least === undefined && needle === "") return lines;
  return lines.filter(
    (line) => isAtLeast(line, least) && (needle === "" || line.text.toLowerCase().includes(needle)),
  );
}

/** Silence for so long means that what a new connection begins with is over, in milliseconds. */
export const QUIET_MS = 1500;

/**
 * Whether what a new connection repeats has come, so that `fresh` can tell it from what is new. A slow line brings it
 * bit by bit; a log that began anew has less of it than is known.
 */
export const isRepeated = (come: number, known: number, quietMs: number): boolean =>
  come >= known || quietMs >= QUIET_MS;

/** What comes after a stream was cut begins with lines that are known: those are left out. */
export function fresh(known: readonly string[], again: readonly string[]): readonly string[] {
  for (let length = Math.min(known.length, again.length); length > 0; length -= 1) {
    const end = known.length - length;
    let same = 0;
    while (same < length && known[end + same] === again[same]) same += 1;
    if (same === length) return again.slice(length);
  }
  return again;
}
