import { asProblem, type Problem } from "../api/problem";

/** A form that is sent: whether it is under way, and why it was refused. */
export class Sending {
  busy = $state(false);
  problem = $state.raw<Problem>();

  /** Sends; whether it was taken. A second time while the first is under way does nothing. */
  async send(work: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.problem = undefined;
    try {
      await work();
      return true;
    } catch (error) {
      this.problem = asProblem(error);
      return false;
    } finally {
      this.busy = false;
    }
  }

  /** What is wrong with a field. */
  fault(field: string): string | undefined {
    return this.problem?.fields.get(field);
  }
}
