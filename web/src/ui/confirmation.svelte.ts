import { whenPersonChanges } from "../session/person";

/** What somebody is asked before something happens that is not easily undone. */
export interface Question {
  title: string;
  /** What will happen, in whole sentences. */
  consequences: readonly string[];
  /** The button that has it happen; it says what it does. */
  action: string;
  danger?: boolean;
  /** What must be typed first, for what cannot be undone. */
  typed?: string;
}

interface Asked extends Question {
  answer: (yes: boolean) => void;
}

let asked = $state.raw<Asked>();

// Nobody answers for somebody else.
whenPersonChanges(() => asked?.answer(false));

/** The question that waits for an answer. */
export const question = (): Asked | undefined => asked;

/** Asks, and waits for the answer. */
export function confirm(question: Question): Promise<boolean> {
  asked?.answer(false);
  return new Promise((resolve) => {
    asked = {
      ...question,
      answer: (yes) => {
        asked = undefined;
        resolve(yes);
      },
    };
  });
}
