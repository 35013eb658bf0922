import { answered } from "../api/client";
import { asProblem, type Problem } from "../api/problem";
import type { TenantAccess } from "../api/tenant";
import type { Mistakes } from "./mistakes";
import { isSame, type RuleSet } from "./ruleSet";

/** As what the rules are changed. */
export type Mode = "form" | "text";

const NONE: Mistakes = new Map();

const written = (set: RuleSet | undefined): string =>
  set === undefined ? "" : JSON.stringify(set, undefined, 2);

/** A document as far as the form can show it; `undefined` where it is no rule set at all. */
function understood(text: string): RuleSet | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value !== "object" || value === null) return undefined;
    const { rules } = value as { rules?: unknown };
    if (!Array.isArray(rules)) return undefined;
    const areRules = rules.every(
      (rule) => typeof rule === "object" && rule !== null && "name" in rule && "action" in rule,
    );
    return areRules ? (value as RuleSet) : undefined;
  } catch {
    return undefined;
  }
}

/** A tenant's rules while they are changed. */
export class Editing {
  /** As they are stored; `undefined`: there are none. */
  stored = $state.raw<RuleSet>();
  /** As they are written here; `undefined`: there are none. */
  draft = $state.raw<RuleSet>();
  /** The document, where it is changed as a text. */
  text = $state("");
  mode = $state<Mode>("form");
  mistakes = $state.raw<Mistakes>(NONE);
  loading = $state(true);
  busy = $state(false);
  /** Why they could not be loaded. */
  problem = $state.raw<Problem>();
  /** Why they could not be stored. */
  refused = $state.raw<Problem>();
  /** The webhook's secret, when it was just made. */
  secret = $state<string>();

  readonly #access: TenantAccess;

  constructor(access: TenantAccess) {
    this.#access = access;
    void this.load();
  }

  get #params(): { path: { tenant: string } } {
    return { path: { tenant: this.#access.tenant } };
  }

  /** Whether there is something to be stored. */
  get isChanged(): boolean {
    if (this.mode === "form") return !isSame(this.draft, this.stored);
    const now = understood(this.text);
    return now === undefined ? this.text !== written(this.stored) : !isSame(now, this.stored);
  }

  /** What would be stored; `undefined` where the text is no document. */
  get wanted(): RuleSet | undefined {
    if (this.mode === "form") return this.draft;
    try {
      return JSON.parse(this.text) as RuleSet;
    } catch {
      return undefined;
    }
  }

  async load(): Promise<void> {
    this.loading = true;
    this.problem = undefined;
    try {
      this.#take(await this.#ask());
    } catch (error) {
      this.problem = asProblem(error);
    } finally {
      this.loading = false;
    }
  }

  /** Shows the rules as a form or as a text; not as a form while the text is none. */
  show(mode: Mode): boolean {
    if (mode === this.mode) return true;
    if (mode === "text") {
      this.text = written(this.draft);
    } else {
      const set = understood(this.text);
      if (set === undefined) return false;
      this.draft = set;
    }
    this.mode = mode;
    return true;
  }

  /** Takes what somebody changed in the form. */
  change(set: RuleSet | undefined): void {
    this.draft = set;
    if (this.mode === "text") this.text = written(set);
    this.mistakes = NONE;
    this.refused = undefined;
  }

  write(text: string): void {
    this.text = text;
    this.mistakes = NONE;
    this.refused = undefined;
  }

  /** Goes back to what is stored. */
  discard(): void {
    this.#take(this.stored);
  }

  /** Whether somebody else has stored other rules since these were loaded. */
  async isOvertaken(): Promise<boolean> {
    return !isSame(await this.#ask(), this.stored);
  }

  /** Stores what is written; `false` when it was refused. */
  async store(): Promise<boolean> {
    const body = this.wanted;
    if (body === undefined) return false;
    return this.#doing(async () => {
      const view = await answered(
        this.#access.api.PUT("/admin/tenants/{tenant}/rules", { params: this.#params, body }),
      );
      // One that is still shown was made before, and is still the one.
      this.secret = view.webhook_secret ?? this.secret;
      this.#take(view.rules as RuleSet | undefined);
    });
  }

  /** Takes the rules away. */
  async clear(): Promise<boolean> {
    return this.#doing(async () => {
      await answered(
        this.#access.api.DELETE("/admin/tenants/{tenant}/rules", { params: this.#params }),
      );
      this.#take(undefined);
    });
  }

  /** Says where what was refused is wrong. */
  told(problem: Problem): void {
    this.mistakes = problem.fields;
  }

  async #doing(work: () => Promise<void>): Promise<boolean> {
    this.busy = true;
    this.refused = undefined;
    this.mistakes = NONE;
    try {
      await work();
      return true;
    } catch (error) {
      this.refused = asProblem(error);
      this.told(this.refused);
      return false;
    } finally {
      this.busy = false;
    }
  }

  async #ask(): Promise<RuleSet | undefined> {
    const asked = this.#access.api.GET("/admin/tenants/{tenant}/rules", { params: this.#params });
    return ((await answered(asked)).rules ?? undefined) as RuleSet | undefined;
  }

  #take(set: RuleSet | undefined): void {
    this.stored = set;
    this.draft = set;
    this.text = written(set);
    this.mistakes = NONE;
    this.refused = undefined;
  }
}
