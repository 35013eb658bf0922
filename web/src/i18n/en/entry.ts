/** Texts of coming in: set-up, sign-in, links. */
export const entry = {
  "entry.setup": "Set up",
  "entry.signIn": "Sign in",
  "entry.forgot": "Forgotten password",
  "entry.invitation": "Welcome",
  "entry.reset": "Choose a new password",
  "entry.connect": "Connect WhatsApp",
} as const;
