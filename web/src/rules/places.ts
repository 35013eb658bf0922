/** Where something stands in a text: from an offset to before another. */
export interface Place {
  from: number;
  to: number;
}

/** A text that is no JSON, and where that shows. */
export class NoJson extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/**
 * Where every value of a JSON text stands, by its path as the server writes it: `rules[2].match.regex[0]`. The whole
 * has the empty path.
 *
 * @throws {NoJson} where the text is none.
 */
export function places(text: string): Map<string, Place> {
  const reader = new Reader(text);
  reader.value("");
  reader.end();
  return reader.found;
}

/** The place of what a mistake is about: of the value itself, or of the nearest around it. */
export function placeOf(found: ReadonlyMap<string, Place>, path: string): Place | undefined {
  for (let at = path; ; at = at.replace(/(?:\.?[^.[\]]+|\[\d+\])$/, "")) {
    const place = found.get(at);
    if (place !== undefined || at === "") return place;
  }
}

/** The line and column of an offset, both from 1. */
export function lineOf(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

class Reader {
  readonly found = new Map<string, Place>();
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(path: string): void {
    this.#blank();
    const from = this.#at;
    const first = this.#text[from];
    if (first === "{") this.#object(path);
    else if (first === "[") this.#list(path);
    else if (first === '"') this.#string();
    else this.#word();
    this.found.set(path, { from, to: this.#at });
  }

  end(): void {
    this.#blank();
    if (this.#at < this.#text.length) throw this.#wrong("rules.json.more");
  }

  #object(path: string): void {
    this.#at += 1;
    this.#blank();
    if (this.#take("}")) return;
    for (;;) {
      this.#blank();
      const name = this.#string();
      this.#blank();
      if (!this.#take(":")) throw this.#wrong("rules.json.colon");
      this.value(path === "" ? name : `${path}.${name}`);
      this.#blank();
      if (this.#take("}")) return;
      if (!this.#take(",")) throw this.#wrong("rules.json.comma");
    }
  }

  #list(path: string): void {
    this.#at += 1;
    this.#blank();
    if (this.#take("]")) return;
    for (let index = 0; ; index += 1) {
      this.value(`${path}[${index}]`);
      this.#blank();
      if (this.#take("]")) return;
      if (!this.#take(",")) throw this.#wrong("rules.json.comma");
    }
  }

  #string(): string {
    const found = this.#match(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y); // eslint-disable-line no-control-regex -- JSON forbids them
    if (found === undefined) throw this.#wrong("rules.json.string");
    return JSON.parse(found) as string;
  }

  #word(): void {
    const word = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
    if (this.#match(word) === undefined) throw this.#wrong("rules.json.value");
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #take(sign: string): boolean {
    const is = this.#text[this.#at] === sign;
    if (is) this.#at += 1;
    return is;
  }

  #blank(): void {
    this.#match(/[ \t\r\n]*/y);
  }

  #wrong(message: string): NoJson {
    return new NoJson(message, this.#at);
  }
}
