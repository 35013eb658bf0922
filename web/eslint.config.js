import js from "@eslint/js";
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import ts from "typescript-eslint";

import svelteConfig from "./svelte.config.js";

export default ts.config(
  { ignores: ["dist/", "src/api/schema.d.ts", "test-results/"] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser } } },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: {
      parserOptions: { parser: ts.parser, extraFileExtensions: [".svelte"], svelteConfig },
    },
  },
  { files: ["build/**", "tests/**", "*.config.*"], languageOptions: { globals: globals.node } },
  {
    rules: {
      eqeqeq: "error",
      "max-lines": ["error", 400],
      "max-lines-per-function": ["error", 80],
      "no-console": "error",
      // The compiler knows names better, types too.
      "no-undef": "off",
      // Our router takes links as they are written.
      "svelte/no-navigation-without-resolve": "off",
      "svelte/no-at-html-tags": "error",
      // Directives write to the element's style object, which the policy allows; attributes it does not.
      "no-restricted-syntax": [
        "error",
        {
          selector: "SvelteAttribute[key.name='style']",
          message: "the policy refuses style attributes",
        },
      ],
      // Dates and addresses are made anew here, not changed.
      "svelte/prefer-svelte-reactivity": "off",
      "svelte/button-has-type": "error",
      "svelte/no-target-blank": "error",
    },
  },
  // A story is as long as it is.
  { files: ["tests/**"], rules: { "max-lines-per-function": "off" } },
);
