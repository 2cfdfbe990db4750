// The page in the language that was chosen. English is what stands in the sources: each text is its own key.

const { lang } = document.documentElement; // theme.js has chosen it before anything was drawn
const file = lang === "en" ? null : await import(`./words/${lang}.js`).catch(() => null);

/** Without its file the page is English. */
export const language = file ? lang : "en";
document.documentElement.lang = language;

const words = file?.default ?? {};
const rules = new Intl.PluralRules(language);
const WHOLE = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });

export const number = (value) => WHOLE.format(value);

/**
 * A text in the language: `told` has what its {holes} are filled with. Where that is an element, it stays one, and
 * what comes back are pieces for a template. A value is never looked into: its own braces and tags are letters.
 */
export function t(text, told) { return filled(words[text] ?? text, told); }

/** A text that counts: in English `one` or `more`, of which the second is the key; {n} is the count. */
export function many(count, one, more, told) {
  const form = rules.select(count);
  const forms = words[more] ?? { one, other: more };
  return filled(forms[form] ?? forms.other, { n: number(count), ...told });
}

function filled(text, told) {
  if (!told) return text;
  const pieces = text.split(/\{(\w+)\}/).map((part, i) => (i % 2 ? told[part] ?? "" : part));
  return pieces.some((one) => typeof one === "object") ? pieces : pieces.join("");
}
