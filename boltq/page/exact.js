// JSON as it was written: 9007199254740993 stays what it is, and 1.0 stays 1.0.

import { t } from "./words.js";

const TOKEN = /\s*("[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+)/gsy;
const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/sy;

/** Where the value that begins at `from` ends. */
function endOf(text, from) {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const letter = text[at];
    if (letter === '"') {
      STRING.lastIndex = at;
      if (!STRING.test(text)) return text.length;
      at = STRING.lastIndex - 1;
    } else if (letter === "{" || letter === "[") depth += 1;
    else if (letter === "}" || letter === "]") {
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && letter === ",") return at;
    if (depth === 0 && letter === '"') return at + 1;
  }
  return text.length;
}

/** The members of an object, each as the text that it has: a Map of name to JSON. */
export function members(text) {
  const found = new Map();
  let at = text.indexOf("{") + 1;
  for (;;) {
    STRING.lastIndex = text.indexOf('"', at);
    const end = text.indexOf("}", at);
    if (STRING.lastIndex < 0 || (end >= 0 && end < STRING.lastIndex)) return found;
    const from = STRING.lastIndex;
    if (!STRING.test(text)) return found;
    const name = JSON.parse(text.slice(from, STRING.lastIndex));
    let begin = text.indexOf(":", STRING.lastIndex) + 1;
    while (text[begin] === " " || text[begin] === "\n") begin += 1;
    at = endOf(text, begin);
    found.set(name, text.slice(begin, at).trim());
    if (text[at] === "}") return found;
    at += 1;
  }
}

function kindOf(part, next) {
  if (part[0] === '"') return next === ":" ? "name" : "string";
  if ("{}[],:".includes(part)) return "mark";
  return /^[-0-9]/.test(part) ? "number" : "word";
}

/**
 * JSON with a line for each part, until `most` letters: pieces of [kind, text], of which kind is name,
 * string, number, word or mark; `isWhole` tells whether that is all of it.
 */
export function laidOut(text, most = Infinity) {
  const pieces = [];
  let depth = 0;
  let letters = 0;
  let isOpen = false;
  TOKEN.lastIndex = 0;
  const add = (kind, part) => {
    const last = pieces[pieces.length - 1];
    if (kind === "mark" && last?.[0] === "mark") last[1] += part;
    else pieces.push([kind, part]);
    letters += part.length;
  };
  const line = () => `\n${"  ".repeat(depth)}`;
  for (let found = TOKEN.exec(text); found; found = TOKEN.exec(text)) {
    if (letters > most) return { pieces, isWhole: false };
    const part = found[1];
    if (part === "}" || part === "]") {
      depth -= 1;
      add("mark", isOpen ? part : line() + part);
      isOpen = false;
      continue;
    }
    if (isOpen) add("mark", line());
    isOpen = part === "{" || part === "[";
    if (isOpen) { depth += 1; add("mark", part); } else if (part === ",") add("mark", `,${line()}`);
    else if (part === ":") add("mark", ": ");
    else {
      let after = TOKEN.lastIndex;
      while (text[after] === " " || text[after] === "\n") after += 1;
      const room = Math.max(0, most - letters);
      const kind = kindOf(part, text[after]);
      add(kind, part.length > room ? part.slice(0, room) : part);
      if (part.length > room) return { pieces, isWhole: false };
    }
  }
  return { pieces, isWhole: true };
}

/** Whether a text is JSON; else where it is not, in words. */
export function checked(text) {
  try {
    JSON.parse(text);
    return "";
  } catch (problem) {
    const at = /position (\d+)/.exec(problem.message)?.[1];
    if (!at) return t("this is not JSON");
    const before = text.slice(0, Number(at)).split("\n");
    return t("this is not JSON: look at line {line}, letter {letter}", { line: before.length, letter: before[before.length - 1].length + 1 });
  }
}
