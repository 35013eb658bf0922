import { answered } from "../api/client";
import { asProblem, type Problem } from "../api/problem";
import type { TenantAccess } from "../api/tenant";
import { t } from "../i18n/language.svelte";
import { askBeforeSigningOut, whenPersonChanges } from "../session/person";
import { confirm } from "../ui/confirmation.svelte";
import { documentOf, greetingDocument, greetingOf, isSame, type RulesDocument } from "./document";

/** What the server had when it was last asked. */
interface Stored {
  /** The rules as they are stored; absent: there are none, and the greeting answers. */
  rules: unknown;
  document: RulesDocument;
}

/** How saving went. */
export type Saved = "saved" | "conflict" | "refused";

/** A tenant's hours and texts while they are being changed. */
export class Draft {
  /** The document with the changes so far. */
  document = $state.raw<RulesDocument>();
  /** Why it could not be loaded, or was not taken. */
  problem = $state.raw<Problem>();
  busy = $state(false);
  /** Somebody else has changed the rules since they were loaded. */
  conflict = $state(false);

  #stored = $state.raw<Stored>();
  readonly #access: TenantAccess;

  constructor(access: TenantAccess) {
    this.#access = access;
    void this.load();
  }

  /** Whether there is something to save. */
  get isChanged(): boolean {
    return this.#stored !== undefined && !isSame(this.#stored.document, this.document);
  }

  /** Loads what the server has; changes are lost. */
  async load(): Promise<void> {
    this.problem = undefined;
    try {
      const stored = await this.#ask();
      this.#stored = stored;
      this.document = stored.document;
      this.conflict = false;
    } catch (error) {
      this.problem = asProblem(error);
    }
  }

  /** Puts everything back as the server has it. */
  reset(): void {
    this.document = this.#stored?.document;
    this.problem = undefined;
    this.conflict = false;
  }

  /** Saves, unless somebody else has changed the rules meanwhile; `over` saves all the same. */
  async save({ over = false } = {}): Promise<Saved> {
    const document = this.document;
    if (document === undefined || this.busy) return "refused";
    this.busy = true;
    this.problem = undefined;
    try {
      const now = await this.#ask();
      if (!over && !isSame(now.document, this.#stored?.document)) {
        this.conflict = true;
        return "conflict";
      }
      await this.#send(now.rules === undefined, document);
      await this.load();
      return "saved";
    } catch (error) {
      this.problem = asProblem(error);
      return "refused";
    } finally {
      this.busy = false;
    }
  }

  /** A greeting stays a greeting as long as one can do what is wanted. */
  async #send(withoutRules: boolean, document: RulesDocument): Promise<void> {
    const { api, tenant } = this.#access;
    const params = { path: { tenant } };
    const greeting = withoutRules ? greetingOf(document) : undefined;
    if (greeting !== undefined) {
      const body = { greeting };
      await answered(api.PATCH("/admin/tenants/{tenant}", { params, body }));
    } else {
      await answered(api.PUT("/admin/tenants/{tenant}/rules", { params, body: document }));
    }
  }

  async #ask(): Promise<Stored> {
    const { api, tenant } = this.#access;
    const params = { path: { tenant } };
    const { rules } = await answered(api.GET("/admin/tenants/{tenant}/rules", { params }));
    const document = documentOf(rules);
    if (document !== undefined) return { rules, document };
    // The bot itself says what its greeting is: that is what it would answer.
    const body = { message: "?" };
    const said = await answered(api.POST("/admin/tenants/{tenant}/rules/test", { params, body }));
    return { rules: undefined, document: greetingDocument(said.reply ?? "") };
  }
}

let kept: { tenant: string; draft: Draft } | undefined;

whenPersonChanges(() => (kept = undefined));

askBeforeSigningOut(async () => {
  if (kept?.draft.isChanged !== true) return true;
  return confirm({
    title: t("word.unsaved"),
    consequences: [t("word.unsaved.about")],
    action: t("word.discard"),
    danger: true,
  });
});

/** The tenant's draft: the one that was left without saving, while somebody looked at another part, or a new one. */
export function draftOf(access: TenantAccess): Draft {
  if (kept?.tenant !== access.tenant || !kept.draft.isChanged) {
    kept = { tenant: access.tenant, draft: new Draft(access) };
  }
  return kept.draft;
}
